import assert from "node:assert/strict";
import { test } from "node:test";
import { createPatientClock } from "./patient-clock.ts";

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

function watched() {
  const time = { now: 1000 * YEAR, monotonic: 5 };
  const jumps: number[] = [];
  const clock = createPatientClock({ now: () => time.now, monotonic: () => time.monotonic }, (ms) => jumps.push(ms));
  const pass = (ms: number): void => {
    time.now += ms;
    time.monotonic += ms;
  };
  return { time, jumps, clock, pass };
}

test("time that passes is believed, and so are small steps and any step back", () => {
  const { time, jumps, clock, pass } = watched();
  for (const step of [0, HOUR, -HOUR, -3 * YEAR, HOUR / 2]) {
    pass(YEAR);
    time.now += step;
    assert.equal(clock.now(), time.now);
  }
  assert.equal(clock.monotonic(), time.monotonic);
  assert.deepEqual(jumps, []);
});

test("a jump ahead is not believed, is told once, and is as if it had not been when it is put right", () => {
  const { time, jumps, clock, pass } = watched();
  const right = time.now;
  time.now += 2 * YEAR;
  assert.equal(clock.now(), right);
  pass(23 * HOUR);
  assert.equal(clock.now(), right + 23 * HOUR);
  assert.deepEqual(jumps, [2 * YEAR]);
  time.now -= 2 * YEAR;
  assert.equal(clock.now(), time.now);
  time.now += YEAR;
  pass(2 * HOUR);
  assert.equal(clock.now(), time.now - YEAR, "a day of its own");
  assert.deepEqual(jumps, [2 * YEAR, YEAR]);
});

test("a jump that has stood for a day is believed", () => {
  const { time, clock, pass } = watched();
  time.now += YEAR;
  clock.now();
  pass(24 * HOUR);
  assert.equal(clock.now(), time.now);
  pass(HOUR);
  assert.equal(clock.now(), time.now);
});

test("a start long after the last time that was believed is a jump, a short rest is none", () => {
  const week = 7 * 24 * HOUR;
  for (const rest of [0, -YEAR, week]) {
    const time = { now: 1000 * YEAR, monotonic: 5 };
    const jumps: number[] = [];
    const clocks = { now: () => time.now, monotonic: () => time.monotonic };
    const clock = createPatientClock(clocks, (ms) => jumps.push(ms), time.now - rest);
    assert.equal(clock.now(), time.now);
    assert.deepEqual(jumps, []);
  }
  const time = { now: 1000 * YEAR, monotonic: 5 };
  const jumps: number[] = [];
  const last = time.now - week - 1;
  const clock = createPatientClock(
    { now: () => time.now, monotonic: () => time.monotonic },
    (ms) => jumps.push(ms),
    last,
  );
  assert.equal(clock.now(), last);
  assert.deepEqual(jumps, [week + 1]);
  time.now += 24 * HOUR;
  time.monotonic += 24 * HOUR;
  assert.equal(clock.now(), time.now);
});
