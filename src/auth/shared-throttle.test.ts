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
