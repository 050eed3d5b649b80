import assert from "node:assert/strict";
import { test } from "node:test";
import { rig } from "./testing/rig.ts";

const timeout = { timeout: 20_000 };

test("P4 one session at a time; the lease ends with its connection", timeout, async (context) => {
  const { memory, login, connect, sessionEnds, listener } = await rig(context);
  memory.add("a\r\n");
  const first = await login();
  const second = await connect();
  second.send("USER tim\r\nPASS tanstaaf\r\n");
  await second.line();
  assert.match(await second.line(), /^-ERR \[IN-USE\]/);
  first.send("DELE 1\r\n");
  await first.line();
  first.socket.resetAndDestroy();
  await memory.free();
  second.send("USER tim\r\nPASS tanstaaf\r\nQUIT\r\n");
  assert.match(await second.rest(), /\+OK 1 messages \(3 octets\)\r\n\+OK bye\r\n$/);
  second.finish();
  await listener.idle();
  assert.deepEqual(sessionEnds(), ["lost", "quit"]);
  assert.equal(memory.counts.updates, 0);
});

test("P2 1939-17 a half-closed connection without QUIT removes nothing", timeout, async (context) => {
  const { memory, login, listener, sessionEnds } = await rig(context);
  memory.add("a\r\n");
  const client = await login();
  client.send("DELE 1\r\nRETR 1\r\nQUI");
  client.finish();
  assert.equal(await client.rest(), "+OK deleted\r\n-ERR that message is deleted\r\n");
  await listener.idle();
  assert.deepEqual([memory.messages, memory.counts.updates, memory.held], [1, 0, false]);
  assert.deepEqual(sessionEnds(), ["lost"]);
});

test("a half-closed connection with QUIT is a QUIT", timeout, async (context) => {
  const { memory, login, listener } = await rig(context);
  memory.add("a\r\n");
  const client = await login();
  client.send("DELE 1\r\nQUIT\r\n");
  client.finish();
  assert.equal(await client.rest(), "+OK deleted\r\n+OK bye\r\n");
  await listener.idle();
  assert.deepEqual(memory.removed, [1]);
});

test("UPDATE waits until the client has every earlier answer", timeout, async (context) => {
  const { memory, login, listener } = await rig(context);
  memory.pieceOctets = 256 * 1024;
  memory.add(`${"x".repeat(78)}\r\n`.repeat(200_000));
  const client = await login();
  client.socket.pause();
  client.send("RETR 1\r\nDELE 1\r\nQUIT\r\n");
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  assert.equal(memory.counts.updates, 0);
  client.socket.resetAndDestroy();
  await listener.idle();
  assert.deepEqual([memory.counts.updates, memory.messages, memory.held], [0, 1, false]);
});

test("P9 a reader that stops in the middle of RETR is cut in the end; nothing is removed", timeout, async (context) => {
  const { memory, login, sweepAt, sessionEnds, listener } = await rig(context);
  memory.pieceOctets = 256 * 1024;
  memory.add("a\r\n", "x".repeat(16 << 20));
  const client = await login();
  client.send("DELE 1\r\nRETR 2\r\n");
  client.socket.pause();
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  for (let second = 1; second < 70; second += 1) sweepAt(second);
  await listener.idle();
  assert.deepEqual([memory.messages, memory.held, sessionEnds()], [2, false, ["stalled"]]);
  assert.equal(memory.counts.closes, 1);
});

test("P9 a port that never answers ends the session, and what it gives later goes back", timeout, async (context) => {
  const { memory, connect, sweepAt, listener } = await rig(context);
  const gate = Promise.withResolvers<void>();
  memory.gate = gate.promise;
  const client = await connect();
  client.send("USER tim\r\nPASS tanstaaf\r\n");
  await client.line();
  for (let second = 1; second <= 125; second += 1) sweepAt(second);
  await client.closed();
  await listener.idle();
  gate.resolve();
  await new Promise(setImmediate);
  assert.equal(memory.held, false);
});

test("P4 a client that goes while its maildrop is opened leaves no lease", timeout, async (context) => {
  const { memory, connect, listener } = await rig(context);
  const gate = Promise.withResolvers<void>();
  const client = await connect();
  client.send("USER tim\r\n");
  await client.line();
  memory.gate = gate.promise;
  client.send("PASS tanstaaf\r\n");
  await new Promise(setImmediate);
  client.socket.resetAndDestroy();
  await listener.idle();
  gate.resolve();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(memory.held, false);
});

test("a client that goes during its UPDATE has it carried out, and the log says so", timeout, async (context) => {
  const { memory, login, sessionEnds, listener } = await rig(context);
  memory.add("a\r\n");
  const client = await login();
  const gate = Promise.withResolvers<void>();
  client.send("DELE 1\r\n");
  await client.line();
  memory.gate = gate.promise;
  client.send("QUIT\r\n");
  while (memory.counts.updates === 0) await new Promise(setImmediate);
  client.socket.resetAndDestroy();
  await listener.idle();
  assert.deepEqual([memory.held, sessionEnds()], [true, []]);
  gate.resolve();
  await memory.free();
  await new Promise(setImmediate);
  assert.deepEqual([memory.removed, sessionEnds()], [[1], ["quit"]]);
});

test("P2 P4 a session whose lease was taken over is cut without UPDATE", timeout, async (context) => {
  const { memory, login, sessionEnds, listener } = await rig(context);
  memory.add("a\r\n");
  const client = await login();
  client.send("DELE 1\r\n");
  await client.line();
  memory.takeOver();
  await client.closed();
  await listener.idle();
  assert.deepEqual([memory.messages, memory.counts.updates, sessionEnds()], [1, 0, ["taken_over"]]);
});

test(
  "a server that stops closes who has not logged in, lets others finish, and ends the silent",
  timeout,
  async (context) => {
    const { memory, login, connect, listener, sweepAt, sessionEnds } = await rig(context);
    memory.add("a\r\n");
    const stranger = await connect();
    const busy = await login();
    listener.shutdown();
    assert.equal(await stranger.rest(), "");
    stranger.finish();
    sweepAt(4);
    busy.send("DELE 1\r\n");
    assert.equal(await busy.line(), "+OK deleted");
    sweepAt(8);
    busy.send("NOOP\r\n");
    assert.equal(await busy.line(), "+OK");
    sweepAt(14);
    assert.equal(await busy.rest(), "");
    busy.finish();
    await listener.idle();
    assert.deepEqual([memory.messages, sessionEnds()], [1, ["shutdown"]]);
  },
);

test("octets without end cost nothing and end in a close", timeout, async (context) => {
  const { connect, listener } = await rig(context);
  const client = await connect();
  const push = (): void => {
    while (!client.socket.destroyed && client.socket.write(Buffer.alloc(1 << 20, "x")));
  };
  client.socket.on("drain", push);
  push();
  const before = process.memoryUsage.rss();
  assert.equal(await client.rest(), "-ERR line too long\r\n");
  await listener.idle();
  assert.ok(process.memoryUsage.rss() - before < 64 << 20);
});

test("P6 a large message goes out in pieces, exactly, to a slow reader too", timeout, async (context) => {
  const { memory, login } = await rig(context);
  memory.pieceOctets = 65_537;
  const text = `${".".repeat(40)}\r\n${"y".repeat(100)}\r\n`.repeat(50_000);
  memory.add(text);
  const client = await login();
  client.socket.pause();
  client.send("RETR 1\r\nQUIT\r\n");
  await new Promise(setImmediate);
  client.socket.resume();
  const sent = await client.rest();
  assert.equal(sent, `+OK ${text.length} octets\r\n${text.replaceAll(/^\./gm, "..")}.\r\n+OK bye\r\n`);
  assert.equal(memory.counts.closes, 1);
});

test("a client that goes while the disk is read", timeout, async (context) => {
  const { memory, login, listener } = await rig(context);
  memory.slowDisk = true;
  memory.add("a\r\n");
  const client = await login();
  client.send("RETR 1\r\n");
  client.socket.resetAndDestroy();
  await listener.idle();
  await new Promise(setImmediate);
  assert.deepEqual([memory.held, memory.removed], [false, []]);
});
