import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createLimiter, type Limiter } from "./limiter.ts";

/** A task that ends when told to, and notes that it began. */
function controlled(log: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const task = (): Promise<string> => {
    log.push(name);
    return promise;
  };
  return { task, finish: () => resolve(name) };
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function begin(limiter: Limiter, log: string[], key: string, name: string) {
  const task = controlled(log, name);
  return { ...task, result: limiter.run(key, task.task) };
}

test("no more than `concurrency` tasks run, the rest wait in order", async () => {
  const limiter = createLimiter({ concurrency: 2, queue: 10, waitMs: 1000 });
  const began: string[] = [];
  const tasks = ["a", "b", "c", "d"].map((name) => begin(limiter, began, "key", name));
  assert.deepEqual(began, ["a", "b"]);
  assert.equal(limiter.waiting, 2);
  tasks[1]?.finish();
  assert.deepEqual(await tasks[1]?.result, { ok: true, value: "b" });
  await settle();
  assert.deepEqual(began, ["a", "b", "c"]);
  for (const task of tasks) task.finish();
  await Promise.all(tasks.map((task) => task.result));
  assert.equal(limiter.running, 0);
  assert.equal(limiter.waiting, 0);
});

test("turns go round the keys: a flood of one does not delay another", async () => {
  const limiter = createLimiter({ concurrency: 1, queue: 100, waitMs: 1000 });
  const began: string[] = [];
  const flood = Array.from({ length: 10 }, (_, n) => begin(limiter, began, "flood", `flood${n}`));
  const other = begin(limiter, began, "other", "other");
  flood[0]?.finish();
  await settle();
  flood[1]?.finish();
  await settle();
  assert.deepEqual(began, ["flood0", "flood1", "other"]);
  for (const task of [...flood, other]) task.finish();
  await Promise.all([...flood, other].map((task) => task.result));
});

test("a full queue makes room for a key that has less in it, at the longest one's cost", async () => {
  const limiter = createLimiter({ concurrency: 1, queue: 3, waitMs: 1000 });
  const began: string[] = [];
  const flood = Array.from({ length: 5 }, (_, n) => begin(limiter, began, "flood", `flood${n}`));
  assert.deepEqual(await flood[4]?.result, { ok: false, error: "full" });
  const other = begin(limiter, began, "other", "other");
  assert.deepEqual(await flood[3]?.result, { ok: false, error: "full" });
  assert.equal(limiter.waiting, 3);
  for (const task of [...flood, other]) task.finish();
  assert.deepEqual(await other.result, { ok: true, value: "other" });
});

test("a flood that fills the queue costs each other key one turn of each round, and no refusal", async () => {
  const limiter = createLimiter({ concurrency: 1, queue: 64, waitMs: 1000 });
  const began: string[] = [];
  const flood = Array.from({ length: 1000 }, (_, n) => begin(limiter, began, "flood", `flood${n}`));
  const others = Array.from({ length: 10 }, (_, n) => begin(limiter, began, `key${n}`, `other${n}`));
  assert.equal(limiter.waiting, 64);
  for (const task of [...flood, ...others]) task.finish();
  const outcomes = await Promise.all(others.map(({ result }) => result));
  assert.ok(outcomes.every(({ ok }) => ok));
  assert.deepEqual(
    began.slice(0, 12).filter((name) => name.startsWith("other")),
    others.map((_, n) => `other${n}`),
  );
  const refused = (await Promise.all(flood.map(({ result }) => result))).filter(({ ok }) => !ok);
  assert.equal(refused.length, 1000 - 1 - (64 - 10));
});

test("who has waited long enough is told, and its place is free again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const changes: number[] = [];
    const limiter = createLimiter({
      concurrency: 1,
      queue: 1,
      waitMs: 500,
      waitingChanged: (delta) => changes.push(delta),
    });
    const began: string[] = [];
    const first = begin(limiter, began, "a", "first");
    const second = begin(limiter, began, "b", "second");
    mock.timers.tick(500);
    assert.deepEqual(await second.result, { ok: false, error: "late" });
    assert.equal(limiter.waiting, 0);
    first.finish();
    await first.result;
    assert.deepEqual(began, ["first"]);
    assert.deepEqual(changes, [1, -1]);
  } finally {
    mock.timers.reset();
  }
});

test("a task that throws gives its place back", async () => {
  const limiter = createLimiter({ concurrency: 1, queue: 1, waitMs: 1000 });
  await assert.rejects(
    limiter.run("a", () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.deepEqual(await limiter.run("a", () => Promise.resolve(1)), { ok: true, value: 1 });
});
