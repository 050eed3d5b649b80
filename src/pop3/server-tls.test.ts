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

test(
  "TLS-01 TLS-02 STLS: the user name of before is forgotten, and the login works after it",
  timeout,
  async (context) => {
    const { memory, connect } = await rig(context, { tls: "starttls", mechanisms: { allowCleartext: true } });
    memory.add("a\r\n");
    const client = await connect();
    client.send("USER tim\r\n");
    await client.line();
    client.send("STLS\r\n");
    assert.equal(await client.line(), "+OK begin TLS");
    await client.startTls();
    client.send("PASS tanstaaf\r\nUSER tim\r\nPASS tanstaaf\r\nSTLS\r\nRETR 1\r\nQUIT\r\n");
    assert.equal(
      await client.rest(),
      "-ERR send USER first\r\n+OK send the password\r\n+OK 1 messages (3 octets)\r\n-ERR already logged in\r\n" +
        "+OK 3 octets\r\na\r\n.\r\n+OK bye\r\n",
    );
  },
);

test(
  "P5 TLS-02 what stands behind STLS is never carried out, and is counted as an attack",
  timeout,
  async (context) => {
    for (const behind of ["USER tim\r\nPASS tanstaaf\r\nDELE 1\r\nQUIT\r\n", "\n", "U", "\0"]) {
      const { memory, connect, events, listener } = await rig(context, { tls: "starttls" });
      memory.add("a\r\n");
      const client = await connect();
      client.send(`STLS\r\n${behind}`);
      assert.equal(await client.rest(), "-ERR commands behind STLS\r\n");
      client.finish();
      await listener.idle();
      assert.deepEqual(
        events.map(({ event, fields }) => [event, fields]),
        [["pop3.attack", { kind: "octets-behind-stls", peer: "127.0.0.1" }]],
      );
      assert.deepEqual([memory.messages, memory.counts.releases], [1, 0]);
    }
  },
);
