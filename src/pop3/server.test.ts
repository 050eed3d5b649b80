import assert from "node:assert/strict";
import { test } from "node:test";
import { rig } from "./testing/rig.ts";

const timeout = { timeout: 20_000 };

test("a whole session: list, fetch, delete, quit; then it is gone", timeout, async (context) => {
  const { memory, login, sample, events } = await rig(context);
  memory.add("Subject: one\r\n\r\n.dot\r\n", "two\r\n", "three\r\n");
  const client = await login();
  client.send("STAT\r\nLIST\r\nUIDL 3\r\n");
  assert.equal(
    await client.through("+OK 3 3-00000015\r\n"),
    "+OK 3 34\r\n+OK 3 messages\r\n1 22\r\n2 5\r\n3 7\r\n.\r\n+OK 3 3-00000015\r\n",
  );
  client.send("RETR 1\r\nTOP 1 0\r\nDELE 1\r\nDELE 3\r\nQUIT\r\n");
  assert.equal(
    await client.rest(),
    "+OK 22 octets\r\nSubject: one\r\n\r\n..dot\r\n.\r\n+OK\r\nSubject: one\r\n\r\n.\r\n+OK deleted\r\n+OK deleted\r\n+OK bye\r\n",
  );
  client.finish();
  await client.closed();
  assert.deepEqual(memory.removed, [1, 3]);
  assert.equal(memory.held, false);
  assert.equal(sample("mailkeep_pop3_messages_sent_total"), 1);
  assert.equal(sample("mailkeep_pop3_messages_removed_total"), 2);
  assert.equal(sample('mailkeep_pop3_commands_total{command="DELE"}'), 2);
  const again = await login();
  assert.equal(sample("mailkeep_pop3_sessions_open"), 1);
  again.send("QUIT\r\n");
  assert.equal(await again.rest(), "+OK bye\r\n");
  again.finish();
  await memory.free();
  assert.equal(events.filter(({ event }) => event === "pop3.session").length, 1);
});

test("2449-05 a hundred thousand pipelined commands, cut anywhere, are answered in order", timeout, async (context) => {
  const { memory, login } = await rig(context);
  memory.add("a\r\n", "b\r\n");
  const client = await login();
  const commands = Array.from({ length: 100_000 }, (_, index) => ["NOOP", "LIST 1", "RETR 2", "UIDL 2"][index % 4]);
  const answers = ["+OK\r\n", "+OK 1 3\r\n", "+OK 3 octets\r\nb\r\n.\r\n", "+OK 2 2-0000000e\r\n"];
  const octets = `${commands.join("\r\n")}\r\nQUIT\r\nSTAT\r\nSTAT\r\n`;
  for (let at = 0; at < octets.length; at += 9973) client.send(octets.slice(at, at + 9973));
  assert.equal(await client.rest(), `${answers.join("").repeat(25_000)}+OK bye\r\n`);
});

test("1939-16 QUIT tells the outcome, whatever the store says", timeout, async (context) => {
  for (const [fault, answer, end] of [
    ["failed", "-ERR [SYS/TEMP] some deleted messages not removed\r\n", "update_failed"],
    ["full", "-ERR [SYS/TEMP] some deleted messages not removed\r\n", "update_failed"],
    [new Error("a bug"), "-ERR [SYS/TEMP] some deleted messages not removed\r\n", "update_failed"],
    ["lost", "-ERR [SYS/TEMP] this maildrop was taken over by another session; nothing was removed\r\n", "taken_over"],
  ] as const) {
    const { memory, login, sessionEnds, listener } = await rig(context);
    memory.add("a\r\n");
    memory.faults.update = fault;
    const client = await login();
    client.send("DELE 1\r\nQUIT\r\n");
    assert.equal(await client.rest(), `+OK deleted\r\n${answer}`);
    client.finish();
    await listener.idle();
    assert.deepEqual([memory.messages, memory.held, sessionEnds()], [1, false, [end]]);
  }
});

test("a disk that is slow, and an empty message", timeout, async (context) => {
  const { memory, login } = await rig(context);
  memory.slowDisk = true;
  memory.pieceOctets = 2;
  memory.add(".abc\r\n", "");
  const client = await login();
  client.send("RETR 1\r\nRETR 2\r\nTOP 1 0\r\nQUIT\r\n");
  assert.equal(
    await client.rest(),
    "+OK 6 octets\r\n..abc\r\n.\r\n+OK 0 octets\r\n.\r\n+OK\r\n..abc\r\n.\r\n+OK bye\r\n",
  );
});

test("a message that is found damaged before an octet has left is an error, and stays", timeout, async (context) => {
  const { memory, login } = await rig(context);
  memory.add("a\r\n");
  memory.faults.read = new Map([[1, "damaged"]]);
  const client = await login();
  client.send("RETR 1\r\nDELE 1\r\nNOOP\r\nQUIT\r\n");
  assert.equal(
    await client.rest(),
    "-ERR [SYS/PERM] that message is damaged, tell your administrator\r\n" +
      "-ERR that message could not be sent whole in this session, so it is kept\r\n+OK\r\n+OK bye\r\n",
  );
  assert.deepEqual([memory.removed, memory.counts.closes], [[], 1]);
});

test(
  "a message that is found damaged later is cut without the final dot; nothing is removed",
  timeout,
  async (context) => {
    const { memory, login, listener, sessionEnds } = await rig(context);
    memory.pieceOctets = 1000;
    memory.add("a\r\n", "b".repeat(5000));
    memory.faults.read = new Map([[2, "damaged-later"]]);
    const client = await login();
    client.send("DELE 1\r\nRETR 2\r\nDELE 2\r\nQUIT\r\n");
    const sent = await client.rest();
    assert.equal(sent, `+OK deleted\r\n+OK 5000 octets\r\n${"b".repeat(1000)}`);
    client.finish();
    await listener.idle();
    assert.deepEqual([memory.messages, memory.held, sessionEnds()], [2, false, ["damaged"]]);
  },
);

test("TOP asks for no more of a message than it needs", timeout, async (context) => {
  const { memory, login } = await rig(context);
  memory.pieceOctets = 20;
  memory.add(`A: 1\r\n\r\n${"line\r\n".repeat(10_000)}`);
  // The reader would say so if it were asked for a second piece.
  memory.faults.read = new Map([[1, "damaged-later"]]);
  const client = await login();
  client.send("TOP 1 1\r\nQUIT\r\n");
  assert.equal(await client.rest(), "+OK\r\nA: 1\r\n\r\nline\r\n.\r\n+OK bye\r\n");
});

test("a listing of 200,000 comes whole, under backpressure", timeout, async (context) => {
  const { memory, login } = await rig(context);
  for (let message = 0; message < 200_000; message += 1) memory.add("x\r\n");
  const client = await login();
  client.socket.pause();
  client.send("LIST\r\nUIDL\r\nNOOP\r\nQUIT\r\n");
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  client.socket.resume();
  const lines = (await client.rest()).split("\r\n");
  assert.equal(lines.length, 2 * 200_002 + 3);
  assert.deepEqual([lines[1], lines[200_000], lines[200_001]], ["1 3", "200000 3", "."]);
  assert.equal(lines.at(-2), "+OK bye");
});

test("3206-01 an outage is never a wrong password", timeout, async (context) => {
  const damaged = Object.assign(new Error("row"), { kind: "damaged" });
  for (const [faults, expected] of [
    [{ login: "unavailable" }, /^-ERR \[SYS\/TEMP\] /],
    [{ login: "throttled" }, /^-ERR \[SYS\/TEMP\] too many/],
    [{ login: new Error("no disk") }, /^-ERR \[SYS\/TEMP\] /],
    [{ open: new Error("no disk") }, /^-ERR \[SYS\/TEMP\] /],
    [{ open: damaged }, /^-ERR \[SYS\/PERM\] /],
  ] as const) {
    const { memory, connect, events } = await rig(context);
    Object.assign(memory.faults, faults);
    const client = await connect();
    client.send("USER tim\r\nPASS tanstaaf\r\nNOOP\r\n");
    await client.line();
    assert.match(await client.line(), expected);
    assert.equal(await client.line(), "-ERR log in first");
    assert.ok(!JSON.stringify(events).includes("tanstaaf"));
  }
});

test("a listing that cannot be read leaves the session usable", timeout, async (context) => {
  const { memory, login, events } = await rig(context);
  memory.add("a\r\n");
  memory.faults.listing = new Error("no disk");
  const client = await login();
  client.send("LIST\r\nSTAT\r\n");
  assert.match(await client.line(), /^-ERR \[SYS\/TEMP\]/);
  assert.equal(await client.line(), "+OK 1 3");
  delete memory.faults.listing;
  client.send("LIST 1\r\n");
  assert.equal(await client.line(), "+OK 1 3");
  assert.equal(events[0]?.event, "pop3.unavailable");
});
