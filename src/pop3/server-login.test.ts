import assert from "node:assert/strict";
import { test } from "node:test";
import { TLSSocket, type ConnectionOptions } from "node:tls";
import { parseCidr } from "../model/cidr.ts";
import type { TestClient } from "../net/testing.ts";
import { proxySsl, proxyTlv, proxyV2, tcp4 } from "../net/testing-proxy.ts";
import { scramClient } from "./testing/credentials.ts";
import { rig } from "./testing/rig.ts";

const timeout = { timeout: 20_000 };

async function capabilities(client: TestClient): Promise<readonly string[]> {
  client.send("CAPA\r\n");
  return (await client.through("\r\n.\r\n")).split("\r\n");
}

/** Logs in by SCRAM-SHA-256-PLUS and asserts that the server knows the password too. */
async function bindToTls(client: TestClient): Promise<void> {
  const { socket } = client;
  assert.ok(socket instanceof TLSSocket);
  const data = socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
  const { first, final, signature } = scramClient("tim", "tanstaaf", "p=tls-exporter,,", data);
  client.send(`AUTH SCRAM-SHA-256-PLUS ${first}\r\n`);
  assert.match(await client.line(), /^\+ /);
  client.send(`${final}\r\n`);
  assert.equal(await client.line(), `+ ${signature}`);
  client.send("\r\n");
  assert.equal(await client.line(), "+OK 0 messages (0 octets)");
}

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  const tls: ConnectionOptions = { maxVersion };

  test(`SCRAM-02 a proof bound to a ${maxVersion} connection of POP3S`, timeout, async (context) => {
    const { connect, memory } = await rig(context, { tls: "implicit", mechanisms: { scram: true } });
    const client = await connect({ tls });
    assert.ok((await capabilities(client)).includes("SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"));
    await bindToTls(client);
    assert.deepEqual(
      memory.clients.map((each) => each.tls),
      [maxVersion],
    );
  });

  test(`SCRAM-02 TLS-02 after STLS the channel is the ${maxVersion} connection's`, timeout, async (context) => {
    const { connect } = await rig(context, { tls: "starttls", mechanisms: { scram: true } });
    const client = await connect();
    assert.ok(!(await capabilities(client)).some((line) => line.startsWith("SASL")));
    client.send("STLS\r\n");
    await client.line();
    await client.startTls(tls);
    await bindToTls(client);
  });
}

test("SCRAM-02 the data of another connection is of no use", timeout, async (context) => {
  const { connect } = await rig(context, { tls: "implicit", mechanisms: { scram: true } });
  const client = await connect();
  const { first, final } = scramClient("tim", "tanstaaf", "p=tls-exporter,,", Buffer.alloc(32));
  client.send(`AUTH SCRAM-SHA-256-PLUS ${first}\r\n${final}\r\n`);
  await client.line();
  assert.equal(await client.line(), "-ERR [AUTH] wrong user name or password");
});

test("TLS-05 TLS 1.1 is not spoken, and a session says in the log what protected it", timeout, async (context) => {
  const { connect, login, events, listener } = await rig(context, { tls: "implicit" });
  await assert.rejects(connect({ tls: { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" } }));
  const client = await login();
  client.send("QUIT\r\n");
  assert.equal(await client.rest(), "+OK bye\r\n");
  client.finish();
  await listener.idle();
  const session = events.find(({ event }) => event === "pop3.session");
  assert.deepEqual(session?.fields, {
    ...(session?.fields as object),
    tls: "TLSv1.3",
    cipher: "TLS_AES_256_GCM_SHA384",
  });
});

test("TLS that ended at a trusted proxy is as good, but has nothing to bind to", timeout, async (context) => {
  const loopback = parseCidr("127.0.0.0/8");
  assert.ok(loopback.ok);
  const mechanisms = { scram: true, allowCleartext: false, clientCertificates: true };
  const { connect, memory } = await rig(context, { mechanisms, proxyFrom: [loopback.value] });
  const ssl = proxySsl(7, 0, proxyTlv(0x21, "TLSv1.3"), proxyTlv(0x22, "tim"), proxyTlv(0x23, "AES"));
  const client = await connect({ header: proxyV2(0x21, 0x11, tcp4([192, 0, 2, 1], 7), ssl) });
  const announced = await capabilities(client);
  assert.ok(announced.includes("USER") && announced.includes("SASL EXTERNAL SCRAM-SHA-256 PLAIN LOGIN"));
  client.send("AUTH EXTERNAL =\r\n");
  assert.equal(await client.line(), "+OK 0 messages (0 octets)");
  assert.deepEqual(memory.clients, [
    {
      peer: { address: "192.0.2.1", port: 7, proxied: true },
      tls: "TLSv1.3",
      certificate: { emails: [], commonName: "tim" },
    },
  ]);
});

test("what may be announced changes while a client is connected, not under its feet", timeout, async (context) => {
  const { connect, memory } = await rig(context, { tls: "implicit", mechanisms: { scram: true } });
  const client = await connect();
  const before = await capabilities(client);
  memory.announced = { ...memory.announced, expire: { days: 7, perUser: false } };
  memory.announced = { ...memory.announced, mechanisms: { ...memory.announced.mechanisms, scram: false } };
  const after = await capabilities(client);
  assert.ok(before.includes("EXPIRE NEVER") && after.includes("EXPIRE 7"));
  assert.ok(after.includes("SASL PLAIN LOGIN"));
  client.send("AUTH PLAIN AHRpbQB0YW5zdGFhZg==\r\n");
  await client.line();
  memory.announced = { ...memory.announced, mechanisms: { ...memory.announced.mechanisms, scram: true } };
  // 2449-03: the mechanisms stay listed as they were.
  assert.ok((await capabilities(client)).includes("SASL PLAIN LOGIN"));
});

test("2449-08 a login that comes too soon is refused, and the session can try again", timeout, async (context) => {
  const { connect, memory } = await rig(context);
  memory.faults.open = "login-delay";
  const client = await connect();
  client.send("USER tim\r\nPASS tanstaaf\r\nNOOP\r\n");
  await client.line();
  assert.match(await client.line(), /^-ERR \[LOGIN-DELAY\] /);
  assert.equal(await client.line(), "-ERR log in first");
  delete memory.faults.open;
  client.send("USER tim\r\nPASS tanstaaf\r\nQUIT\r\n");
  assert.equal(await client.rest(), "+OK send the password\r\n+OK 0 messages (0 octets)\r\n+OK bye\r\n");
});

test("3206-01 what SCRAM asks and nobody answers is an outage", timeout, async (context) => {
  const { connect, memory, events } = await rig(context, { tls: "implicit", mechanisms: { scram: true } });
  memory.faults.facts = new Error("no disk");
  const client = await connect();
  client.send(`AUTH SCRAM-SHA-256 ${Buffer.from("n,,n=tim,r=x").toString("base64")}\r\n`);
  assert.match(await client.line(), /^-ERR \[SYS\/TEMP\] /);
  assert.equal(events.at(-1)?.event, "pop3.unavailable");
});

test("a client that goes between the verdict and its last word opens nothing", timeout, async (context) => {
  const { connect, memory, listener } = await rig(context, { tls: "implicit", mechanisms: { scram: true } });
  const client = await connect();
  const { first, final, signature } = scramClient("tim", "tanstaaf", "n,,", Buffer.alloc(0));
  client.send(`AUTH SCRAM-SHA-256 ${first}\r\n${final}\r\n`);
  await client.line();
  assert.equal(await client.line(), `+ ${signature}`);
  client.socket.destroy();
  await listener.idle();
  assert.deepEqual([memory.openings.length, memory.held], [0, false]);
});
