import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { shareThrottle } from "./shared-throttle.ts";
import { createThrottle, type Throttle } from "./throttle.ts";

/** A throttle that says when it has heard `count` things. */
function listening(count: number): { throttle: Throttle; heard: Promise<readonly string[]> } {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const inner = createThrottle();
  const names: string[] = [];
  const hear = <T>(name: string, value: T): T => {
    names.push(name);
    if (names.length === count) resolve(names);
    return value;
  };
  const throttle: Throttle = {
    wait: (...args) => inner.wait(...args),
    begin: (...args) => inner.begin(...args),
    done: (...args) => inner.done(...args),
    failed: (...args) => hear("failed", inner.failed(...args)),
    succeeded: (...args) => hear("succeeded", inner.succeeded(...args)),
    seed: (...args) => inner.seed(...args),
    penalties: (...args) => inner.penalties(...args),
    clear: (...args) => hear("clear", inner.clear(...args)),
    state: (...args) => inner.state(...args),
    learn: (...args) => hear("learn", inner.learn(...args)),
  };
  return { throttle, heard: promise };
}

test("what one thread learns, the others know; each by its own clock", async () => {
  const channel = `throttle-${randomUUID()}`;
  using here = shareThrottle(createThrottle(), { channel, clock: { monotonic: () => 5_000 } });
  const { throttle, heard } = listening(6);
  using there = shareThrottle(throttle, { channel, clock: { monotonic: () => 90_000 } });
  for (let n = 0; n < 6; n++) here.failed("ann", "198.51.100.7", n, 5_000);
  await heard;
  assert.equal(there.wait("ann", "198.51.100.7", 90_000), 2);
  assert.equal(there.wait("bob", "198.51.100.7", 90_000), 0);
});

test("a success is told only when it is news", async () => {
  const channel = `throttle-${randomUUID()}`;
  using here = shareThrottle(createThrottle(), { channel, clock: { monotonic: () => 0 } });
  const { throttle, heard } = listening(3);
  using there = shareThrottle(throttle, { channel, clock: { monotonic: () => 0 } });
  for (let n = 0; n < 100; n++) here.succeeded("ann", "198.51.100.7", 0);
  here.failed("ann", "198.51.100.7", 1, 0);
  here.succeeded("ann", "198.51.100.7", 0);
  assert.deepEqual(await heard, ["succeeded", "failed", "succeeded"]);
  assert.equal(there.wait("ann", "198.51.100.7", 0), 0);
});

test("the main thread's replica lists what all threads know, and clears it in all of them", async () => {
  const channel = `throttle-${randomUUID()}`;
  const main = listening(8);
  using replica = shareThrottle(main.throttle, { channel, clock: { monotonic: () => 1000 }, replica: true });
  const thread = listening(10);
  using there = shareThrottle(thread.throttle, { channel, clock: { monotonic: () => 50 } });
  for (let n = 0; n < 8; n++) there.failed("ann", "127.0.0.1", n, 50, true);
  await main.heard;
  assert.deepEqual(replica.penalties(1000), [
    { of: "account from network", account: "ann", network: "127.0.0.1", failures: 8, seconds: 8 },
  ]);
  assert.equal(replica.clear({ account: "ann" }, 1000), 1);
  assert.deepEqual(replica.penalties(1000), []);
  assert.deepEqual((await thread.heard).slice(8), ["learn", "clear"]);
  assert.equal(there.wait("ann", "127.0.0.1", 50), 0);
});

test("a thread that is started again knows what the others knew", async () => {
  const channel = `throttle-${randomUUID()}`;
  const main = createThrottle();
  using replica = shareThrottle(main, { channel, clock: { monotonic: () => 10_000 }, replica: true });
  for (let n = 0; n < 8; n++) main.failed("ann", "203.0.113.9", n, 9000);
  for (let n = 0; n < 30; n++) main.failed("bob", `192.0.2.${n}`, n, 9000);
  main.succeeded("bob", "198.51.100.7", 9000);
  const { throttle, heard } = listening(1);
  using there = shareThrottle(throttle, { channel, clock: { monotonic: () => 70 } });
  assert.deepEqual(await heard, ["learn"]);
  assert.equal(there.wait("ann", "203.0.113.9", 70), 7);
  assert.equal(there.wait("bob", "203.0.113.9", 70), replica.wait("bob", "203.0.113.9", 10_000));
  assert.equal(there.wait("bob", "198.51.100.200", 70), 0, "a known device is known there too");
});
