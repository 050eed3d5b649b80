import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { createCountsMemory, SharedCounts } from "./shared-counts.ts";

test("a key is counted by all threads together, up to its limit", () => {
  const memory = createCountsMemory({ capacity: 100, threads: 2 });
  const one = new SharedCounts(memory, 0);
  const other = new SharedCounts(memory, 1);
  assert.deepEqual(
    [one.enter("a", 2), other.enter("a", 2), one.enter("a", 2), other.enter("b", 2)],
    [true, true, false, true],
  );
  assert.equal(other.count("a"), 2);
  one.leave("a");
  assert.equal(one.count("a"), 1);
  assert.ok(other.enter("a", 2));
});

test("what a dead thread held is given back when another takes its number", () => {
  const memory = createCountsMemory({ capacity: 100, threads: 2 });
  const living = new SharedCounts(memory, 0);
  const dead = new SharedCounts(memory, 1);
  living.enter("a", 9);
  dead.enter("a", 9);
  dead.enter("b", 9);
  const successor = new SharedCounts(memory, 1);
  assert.deepEqual([successor.count("a"), successor.count("b")], [1, 0]);
});

test("a count is never too low, and with as many keys as it was made for nearly always right", () => {
  const keys = 1000;
  const counts = new SharedCounts(createCountsMemory({ capacity: keys, threads: 1 }), 0);
  for (let key = 0; key < keys; key += 1) counts.enter(`key ${key}`, Infinity);
  const found = Array.from({ length: keys }, (_, key) => counts.count(`key ${key}`));
  assert.ok(Math.min(...found) >= 1);
  const wrong = found.filter((count) => count > 1).length;
  assert.ok(wrong < keys / 5, `${wrong} of ${keys} are too high`);
  for (let key = 0; key < keys; key += 1) counts.leave(`key ${key}`);
  assert.equal(counts.count("key 0"), 0);
});

test("threads that count at the same time lose nothing and let no more in than the limit", async () => {
  const memory = createCountsMemory({ capacity: 100, threads: 3 });
  const script = `
    const { workerData: { memory, thread, url }, parentPort } = require("node:worker_threads");
    import(url).then(({ SharedCounts }) => {
      const counts = new SharedCounts(memory, thread);
      let entered = 0;
      for (let round = 0; round < 2000; round += 1) {
        if (counts.enter("a", 1000)) entered += 1;
        counts.enter("b", 10) && counts.leave("b");
      }
      parentPort.postMessage(entered);
    });`;
  const url = new URL("shared-counts.ts", import.meta.url).href;
  const workers = [1, 2].map((thread) => new Worker(script, { eval: true, workerData: { memory, thread, url } }));
  const entered = await Promise.all(workers.map((worker) => new Promise<number>((done) => worker.on("message", done))));
  const watcher = new SharedCounts(memory, 0);
  assert.equal(watcher.count("a"), (entered[0] ?? 0) + (entered[1] ?? 0));
  assert.ok(watcher.count("a") <= 1000 && watcher.count("a") > 900);
  assert.equal(watcher.count("b"), 0);
  await Promise.all(workers.map((worker) => worker.terminate()));
});
