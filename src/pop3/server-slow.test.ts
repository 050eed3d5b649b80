import assert from "node:assert/strict";
import { test } from "node:test";
import { rig } from "./testing/rig.ts";

const timeout = { timeout: 20_000 };
const idleSeconds = 600;

test("P9 one octet a second: a session ends by its commands, not by its octets", timeout, async (context) => {
  const { memory, login, sweepAt, sessionEnds, listener } = await rig(context);
  memory.add("a\r\n");
  const client = await login();
  client.send("DELE 1\r\n");
  assert.match(await client.line(), /^\+OK/);
  let second = 0;
  for (; second < idleSeconds; second += 1) {
    client.send("N");
    // The octet arrives in the next turn of the loop.
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    sweepAt(second);
    assert.equal(listener.connections, 1, `it is open after ${second} s`);
  }
  sweepAt(second + 1);
  assert.equal(await client.rest(), "");
  client.finish();
  await listener.idle();
  assert.deepEqual([memory.messages, memory.held, sessionEnds()], [1, false, ["idle"]]);
});

test("P9 a long listing goes out by parts, between which all others have their turn", timeout, async (context) => {
  const { memory, login } = await rig(context);
  memory.add(...Array.from({ length: 60_000 }, () => "a\r\n"));
  const client = await login();
  client.send("UIDL\r\n");
  const listed = client.through("\r\n.\r\n");
  const state = { ended: false };
  void listed.then(() => (state.ended = true));
  let turns = 0;
  for (; !state.ended; turns += 1) await new Promise(setImmediate);
  assert.equal((await listed).split("\r\n").length, 60_003);
  assert.ok(turns >= 55, `${turns} turns of the loop`);
});

test("P9 one octet a second in the answer to AUTH ends as well", timeout, async (context) => {
  const { connect, sweepAt, listener } = await rig(context);
  const client = await connect();
  client.send("AUTH PLAIN\r\n");
  assert.match(await client.line(), /^\+ ?$/);
  for (let second = 0; second < idleSeconds; second += 1) {
    client.send("A");
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    sweepAt(second);
  }
  assert.equal(listener.connections, 1);
  sweepAt(idleSeconds + 1);
  assert.equal(await client.rest(), "");
});
