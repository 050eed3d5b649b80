import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { TestClient, testContext } from "./testing.ts";
import { Rig } from "./testing-rig.ts";

const timeout = { timeout: 5_000 };

test("TLS 1.3 sessions are resumed", timeout, async () => {
  await using rig = new Rig(await testContext());
  const listener = await rig.listen({ tls: "implicit" });
  using first = await TestClient.connect(listener.address, { minVersion: "TLSv1.3" });
  const [session] = (await once(first.socket, "session")) as [Buffer];
  using second = await TestClient.connect(listener.address, { session });
  await second.line();
  assert.equal(rig.sample('mailkeep_tls_handshakes_total{outcome="resumed"}'), 1);
});

test("TLS-03 a failed handshake ends the connection and is logged and counted", timeout, async () => {
  await using rig = new Rig(await testContext());
  const listener = await rig.listen({ tls: "implicit" });
  using client = await TestClient.connect(listener.address);
  client.send("USER tim\r\n");
  await client.closed();
  await listener.idle();
  assert.equal(rig.handlers.length, 0);
  assert.equal(rig.sample('mailkeep_tls_handshakes_total{outcome="failed"}'), 1);
  assert.deepEqual(
    rig.events.map(({ event }) => event),
    ["tls.handshake.failed"],
  );
});

test("TLS 1.1 is not spoken", timeout, async () => {
  await using rig = new Rig(await testContext());
  const listener = await rig.listen({ tls: "implicit" });
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await assert.rejects(TestClient.connect(listener.address, old), /protocol version|alert|reset/i);
});

test("TLS-06 ALPN: pop3 is spoken, another protocol's name is refused", timeout, async () => {
  await using rig = new Rig(await testContext());
  const listener = await rig.listen({ tls: "implicit" });
  using client = await TestClient.connect(listener.address, { ALPNProtocols: ["pop3"] });
  assert.equal(await client.line(), "hello");
  await assert.rejects(
    TestClient.connect(listener.address, { ALPNProtocols: ["http/1.1"] }),
    /no application protocol/,
  );
});

test("a client cannot renegotiate", timeout, async () => {
  await using rig = new Rig(await testContext());
  const listener = await rig.listen({ tls: "implicit" });
  using client = await TestClient.connect(listener.address, { maxVersion: "TLSv1.2" });
  await client.line();
  const { socket } = client;
  assert.ok(socket instanceof TLSSocket);
  socket.renegotiate({}, () => undefined);
  await client.closed();
  await rig.last.isClosed;
});

test("TLS-02 an upgrade: nothing is heard of it but that it is over", timeout, async () => {
  await using rig = new Rig(await testContext());
  const listener = await rig.listen({ tls: "starttls" });
  using client = await TestClient.connect(listener.address);
  await client.line();
  rig.last.onData = (): void => {
    rig.last.onData = () => undefined;
    rig.last.connection.write("go\r\n", () => rig.last.connection.startTls());
  };
  client.send("STLS\r\n");
  assert.equal(await client.line(), "go");
  await client.startTls();
  assert.equal(await client.line(), "secured");
  assert.equal(rig.last.connection.tls?.version, "TLSv1.3");
  client.send("over\r\n");
  rig.last.onData = () => rig.last.connection.end();
  assert.equal(await client.rest(), "");
  client.finish();
  await rig.last.isClosed;
  assert.deepEqual(rig.last.heard, ["STLS\r\n", "over\r\n"]);
  assert.equal(rig.last.connection.peer.address, "127.0.0.1");
});

test("P9 a handshake that does not go on ends at its deadline", timeout, async () => {
  await using rig = new Rig(await testContext());
  const listener = await rig.listen({ tls: "implicit" });
  using client = await TestClient.connect(listener.address);
  client.send("\x16\x03\x01");
  // The server has accepted once a second client was served.
  using second = await TestClient.connect(listener.address, {});
  await second.line();
  rig.now = 29_999;
  rig.crowd.sweep();
  assert.equal(listener.connections, 2);
  rig.now = 30_000;
  rig.crowd.sweep();
  await client.closed();
  second.finish();
  rig.last.connection.end();
  await listener.idle();
  assert.equal(rig.sample('mailkeep_tls_handshakes_total{outcome="failed"}'), 1);
});

test(
  "TLS-05 implicit TLS: the protocol begins after the handshake; close_notify comes before FIN",
  timeout,
  async () => {
    await using rig = new Rig(await testContext());
    const listener = await rig.listen({ tls: "implicit" });
    using client = await TestClient.connect(listener.address, { maxVersion: "TLSv1.2" });
    assert.equal(await client.line(), "hello");
    assert.equal(rig.last.connection.tls?.version, "TLSv1.2");
    assert.match(rig.last.connection.tls?.cipher ?? "", /^ECDHE-/);
    rig.last.connection.end();
    // A FIN without close_notify is an error to a TLS client, not an end.
    await once(client.socket, "end");
    assert.equal(rig.sample('mailkeep_tls_handshakes_total{outcome="full"}'), 1);
  },
);
