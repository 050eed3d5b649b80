import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { test } from "node:test";
import { parseCidr, type Cidr } from "../model/cidr.ts";
import { proxySsl, proxyTlv, proxyV2, tcp4 } from "./testing-proxy.ts";
import { TestClient, testContext } from "./testing.ts";
import { Rig } from "./testing-rig.ts";

const timeout = { timeout: 5_000 };
const loopback = cidr("127.0.0.0/8");
const line = "PROXY TCP4 192.0.2.1 198.51.100.1 40000 110\r\n";

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed.ok);
  return parsed.value;
}

function reasons(rig: Rig): unknown[] {
  return rig.events.filter(({ event }) => event === "connection.refused").map(({ fields }) => fields);
}

test("the header's peer is the peer; what is behind it is the protocol's, octet for octet", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen({ proxyFrom: [loopback] });
  using client = await TestClient.connect(listener.address);
  client.send(`${line}CAPA\r\n`);
  assert.equal(await client.line(), "hello");
  assert.deepEqual(rig.last.connection.peer, { address: "192.0.2.1", port: 40_000, proxied: true });
  while (rig.last.heard.length === 0) await new Promise(setImmediate);
  assert.deepEqual(rig.last.heard, ["CAPA\r\n"]);
  rig.last.onData = () => rig.last.connection.write("heard\r\n");
  client.send("QUIT\r\n");
  assert.equal(await client.line(), "heard");
  assert.deepEqual(rig.last.heard, ["CAPA\r\n", "QUIT\r\n"]);
  assert.equal(rig.sample('mailkeep_connections_total{protocol="pop3"}'), 1);
});

test("an octet at a time; nothing is said before the header is whole", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen({ proxyFrom: [loopback] });
  using client = await TestClient.connect(listener.address);
  for (const octet of proxyV2(0x21, 0x11, tcp4([192, 0, 2, 1], 7))) {
    client.socket.write(Buffer.from([octet]));
    await new Promise(setImmediate);
    assert.equal(client.received, "");
  }
  assert.equal(await client.line(), "hello");
});

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`before implicit TLS, in one segment with the ${maxVersion} handshake or not`, timeout, async () => {
    await using rig = new Rig(await testContext());
    const listener = await rig.listen({ tls: "implicit", proxyFrom: [loopback] });
    for (const together of [true, false]) {
      using client = await TestClient.connect(listener.address);
      const { socket } = client;
      if (together) socket.cork();
      socket.write(line);
      socket.removeAllListeners("data");
      const secure = connectTls({ socket, rejectUnauthorized: false, maxVersion });
      process.nextTick(() => socket.uncork());
      const [greeting] = (await once(secure, "data")) as [Buffer];
      assert.equal(greeting.toString(), "hello\r\n");
      assert.equal(rig.last.connection.peer.address, "192.0.2.1");
      assert.equal(rig.last.connection.tls?.version, maxVersion);
      assert.equal(rig.last.connection.tls.atProxy, undefined);
      secure.destroy();
    }
  });
}

test("a health check speaks for itself: the real peer, and no limit", timeout, async () => {
  await using rig = new Rig(undefined, 100, { connections: 0, perMinute: 0 });
  const listener = await rig.listen({ proxyFrom: [loopback] });
  for (const header of [proxyV2(0x20, 0), Buffer.from("PROXY UNKNOWN\r\n")]) {
    using client = await TestClient.connect(listener.address);
    client.socket.write(header);
    assert.equal(await client.line(), "hello");
    assert.deepEqual(rig.last.connection.peer, { address: "127.0.0.1", port: client.socket.localPort });
  }
});

test("TLS that ended at the proxy is the connection's, and gives no binding", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen({ proxyFrom: [loopback] });
  using client = await TestClient.connect(listener.address);
  const ssl = proxySsl(
    7,
    0,
    proxyTlv(0x21, "TLSv1.3"),
    proxyTlv(0x22, "tim"),
    proxyTlv(0x23, "TLS_AES_128_GCM_SHA256"),
  );
  client.socket.write(proxyV2(0x21, 0x11, tcp4([192, 0, 2, 1], 7), ssl));
  await client.line();
  const { connection } = rig.last;
  assert.deepEqual(connection.tls, {
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    atProxy: true,
    certificate: { emails: [], commonName: "tim" },
  });
  assert.equal(connection.binding("tls-exporter"), undefined);
  assert.equal(connection.binding("tls-server-end-point"), undefined);
});

test("who is no proxy is closed, without a word", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen({ proxyFrom: [cidr("192.0.2.0/24"), cidr("::1")] });
  using client = await TestClient.connect(listener.address);
  client.send(line);
  assert.equal(await client.rest(), "");
  await listener.idle();
  assert.equal(rig.handlers.length, 0);
  assert.equal(rig.sample('mailkeep_connection_refusals_total{reason="not-a-proxy"}'), 1);
  assert.deepEqual(reasons(rig), [{ protocol: "pop3", peer: "127.0.0.1", reason: "not-a-proxy", others: 0 }]);
});

test(
  "a proxy that sends no header, ends, or takes too long is closed; one refusal a second is logged",
  timeout,
  async () => {
    await using rig = new Rig();
    const listener = await rig.listen({ proxyFrom: [loopback], proxyHeaderSeconds: 5 });
    using wrong = await TestClient.connect(listener.address);
    wrong.send("CAPA\r\n");
    assert.equal(await wrong.rest(), "");
    using ends = await TestClient.connect(listener.address);
    ends.send("PROXY ");
    ends.finish();
    assert.equal(await ends.rest(), "");
    using slow = await TestClient.connect(listener.address);
    slow.send("PROXY ");
    while (listener.connections === 0) await new Promise(setImmediate);
    rig.now = 4999;
    rig.crowd.sweep();
    assert.equal(listener.connections, 1);
    rig.now = 5000;
    rig.crowd.sweep();
    assert.equal(await slow.rest(), "");
    using again = await TestClient.connect(listener.address);
    again.send("x");
    assert.equal(await again.rest(), "");
    await listener.idle();
    assert.equal(rig.handlers.length, 0);
    assert.equal(rig.sample('mailkeep_connection_refusals_total{reason="proxy-header"}'), 3);
    const fields = { protocol: "pop3", peer: "127.0.0.1", others: 0 };
    assert.deepEqual(reasons(rig), [
      { ...fields, reason: "proxy-header: no-header" },
      { ...fields, reason: "proxy-header: late" },
    ]);
  },
);

test("a peer of a crowded network is told so; the limit is given back with the connection", timeout, async () => {
  await using rig = new Rig(undefined, 100, { connections: 1, perMinute: 100 });
  const listener = await rig.listen({ proxyFrom: [loopback] });
  using first = await TestClient.connect(listener.address);
  first.send(line);
  await first.line();
  using second = await TestClient.connect(listener.address);
  second.send(`${line}CAPA\r\n`);
  assert.equal(await second.rest(), "busy\r\n");
  using neighbour = await TestClient.connect(listener.address);
  neighbour.send(line.replace("192.0.2.1", "192.0.2.2"));
  assert.equal(await neighbour.line(), "hello");
  assert.equal(rig.sample('mailkeep_connection_refusals_total{reason="connections"}'), 1);
  const [handler] = rig.handlers;
  first.socket.resetAndDestroy();
  await handler?.isClosed;
  using third = await TestClient.connect(listener.address);
  third.send(line);
  assert.equal(await third.line(), "hello");
});

test("a peer of a crowded network by implicit TLS is closed; the header is the last of it", timeout, async () => {
  await using rig = new Rig(await testContext(), 100, { connections: 100, perMinute: 0 });
  const listener = await rig.listen({ tls: "implicit", proxyFrom: [loopback] });
  using client = await TestClient.connect(listener.address);
  client.send(line);
  assert.equal(await client.rest(), "");
  await listener.idle();
  assert.equal(rig.sample('mailkeep_connection_refusals_total{reason="rate"}'), 1);
  assert.equal(rig.sample('mailkeep_connections_open{protocol="pop3"}'), 0);
});
