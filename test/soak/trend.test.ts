import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../e2e/harness/random.ts";
import { BOUNDS, type Watched } from "./bounds.ts";
import { grows, trendOf, type Sample } from "./trend.ts";

const FULL_MINUTES = 20;

/** A series as a run of half an hour gives one behind its warm-up: a sample every two seconds. */
function series(value: (minutes: number, random: Random) => number, seed: number, minutes = FULL_MINUTES): Sample[] {
  const random = new Random(seed);
  const count = (minutes * 60) / 2;
  return Array.from({ length: count }, (_, index) => ({
    seconds: 100 + index * 2,
    value: value((index * 2) / 60, random),
  }));
}

function judged(name: Watched, samples: readonly Sample[]): boolean {
  return grows(trendOf(samples, BOUNDS[name].of), BOUNDS[name]);
}

/** Memory under a collector: it rises to a few MiB more again and again, and lies a little elsewhere each time. */
const memory =
  (leakKib: number) =>
  (minutes: number, random: Random): number =>
    200_000 + leakKib * minutes + (((minutes * 60) / 17) % 1) * 9000 + random.between(-1000, 1000);

const descriptors =
  (leak: number) =>
  (minutes: number, random: Random): number =>
    60 + Math.floor(leak * minutes) + random.between(-3, 3);

test("the judge of the soak finds leaks in half an hour, and none where there is none", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const found = {
      memory: judged("anonymous memory, KiB", series(memory(100), seed)),
      descriptors: judged("descriptors without connections", series(descriptors(1), seed)),
      threads: judged(
        "threads",
        series((minutes) => 14 + Math.floor(minutes / 5), seed),
      ),
      segments: judged(
        "segments",
        series((minutes, random) => 4 + minutes + random.between(0, 2), seed),
      ),
      falling: judged("anonymous memory, KiB", series(memory(-400), seed)),
      steadyMemory: judged("anonymous memory, KiB", series(memory(0), seed)),
      steadyDescriptors: judged("descriptors without connections", series(descriptors(0), seed)),
      steadyThreads: judged(
        "threads",
        series(() => 14, seed),
      ),
    };
    assert.deepEqual(
      found,
      {
        memory: true,
        descriptors: true,
        threads: true,
        segments: true,
        falling: false,
        steadyMemory: false,
        steadyDescriptors: false,
        steadyThreads: false,
      },
      `seed ${seed}`,
    );
  }
});

test("single outliers move it neither way", () => {
  const outliers = (leak: number) => (minutes: number, random: Random) =>
    descriptors(leak)(minutes, random) + (random.fraction() < 0.05 ? 200 : 0);
  for (let seed = 1; seed <= 20; seed += 1) {
    assert.equal(judged("descriptors without connections", series(outliers(0), seed)), false, `seed ${seed}`);
    assert.equal(judged("descriptors without connections", series(outliers(1), seed)), true, `seed ${seed}`);
  }
});

test("a short run finds large leaks, and takes no noise for one", () => {
  let wrong = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    assert.equal(judged("descriptors without connections", series(descriptors(20), seed, 1.5)), true, `seed ${seed}`);
    if (judged("descriptors without connections", series(descriptors(0), seed, 1.5))) wrong += 1;
  }
  assert.ok(wrong <= 5, `${wrong} of 100 steady series were taken for growing`);
});
