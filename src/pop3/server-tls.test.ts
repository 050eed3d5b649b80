import assert from "node:assert/strict";
import { test } from "node:test";
import { rig } from "./testing/rig.ts";

const timeout = { timeout: 20_000 };

test("TLS-03 clear text in place of the handshake ends the connection", timeout, async (context) => {
  const { memory, connect, listener } = await rig(context, { tls: "starttls" });
  const client = await connect();
  client.send("STLS\r\n");
  await client.line();
  client.send("USER tim\r\nPASS tanstaaf\r\n");
  await client.closed();
  await listener.idle();
  assert.equal(memory.counts.releases, 0);
});

test("POP3S", timeout, async (context) => {
  const { memory, login } = await rig(context, { tls: "implicit" });
  memory.pieceOctets = 10_000;
  const text = "z".repeat(99_998);
  memory.add(`${text}\r\n`);
  const client = await login();
  client.send("RETR 1\r\nQUIT\r\n");
  assert.equal(await client.rest(), `+OK 100000 octets\r\n${text}\r\n.\r\n+OK bye\r\n`);
});

test(
  "1939-06 silence ends a session without a word and without UPDATE; a command is no silence",
  timeout,
  async (context) => {
    const { memory, login, sweepAt, sessionEnds, listener } = await rig(context);
    memory.add("a\r\n");
    const client = await login();
    client.send("DELE 1\r\n");
    await client.line();
    sweepAt(599);
    client.send("NOOP\r\n");
    await client.line();
    sweepAt(1199);
    assert.equal(memory.held, true);
    // An octet is no command.
    client.send("N");
    sweepAt(1200);
    assert.equal(await client.rest(), "");
    client.finish();
    await listener.idle();
    assert.deepEqual([memory.messages, memory.counts.updates, sessionEnds()], [1, 0, ["idle"]]);
    assert.ok(memory.counts.touches > 0);
  },
);
