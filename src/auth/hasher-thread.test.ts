import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createHasherThread } from "./hasher-thread.ts";

const quick = "$1$ab$dslkcXxVH.x8LwW1W/oAB/";
// A million rounds: more than a second.
const slow = `$6$rounds=1000000$ab$${"a".repeat(86)}`;
const secret = Buffer.from("secret");

test("it starts when first asked and ends when it has been idle", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    await using thread = createHasherThread({ deadlineMs: 5000, idleMs: 30_000 });
    assert.equal(thread.running, false);
    assert.equal(await thread.verify(quick, secret), true);
    mock.timers.tick(29_999);
    assert.equal(thread.running, true);
    mock.timers.tick(1);
    assert.equal(thread.running, false);
    assert.equal(await thread.verify(quick, Buffer.from("wrong")), false);
  } finally {
    mock.timers.reset();
  }
});

test("a check that takes too long ends the thread; the next one gets a new one", async () => {
  await using thread = createHasherThread({ deadlineMs: 60, idleMs: 1000 });
  await assert.rejects(thread.verify(slow, secret), /did not answer/);
  assert.equal(thread.running, false);
});

test("a thread that dies rejects what it was asked", async () => {
  await using thread = createHasherThread({ deadlineMs: 5000, idleMs: 1000 });
  await assert.rejects(thread.verify("{SHA}not for this thread", secret), /did not answer/);
  assert.equal(await thread.verify(quick, secret), true);
});
