import assert from "node:assert/strict";
import { test } from "node:test";
import { createRatesMemory, SharedRates } from "./shared-rates.ts";

const minute = 60_000;
// Any whole minute.
const start = 29_000_000 * minute;

function takes(rates: SharedRates, key: string, limit: number, now: number, times: number): number {
  let taken = 0;
  for (let time = 0; time < times; time += 1) if (rates.take(key, limit, now)) taken += 1;
  return taken;
}

test("so many a minute, of all threads together; what was refused is not counted", () => {
  const memory = createRatesMemory({ width: 256 });
  const one = new SharedRates(memory);
  const other = new SharedRates(memory);
  assert.equal(takes(one, "a", 10, start, 6), 6);
  assert.equal(takes(other, "a", 10, start, 100), 4);
  assert.equal(takes(one, "b", 10, start, 3), 3);
});

test("the last minute fades while this one grows old", () => {
  const rates = new SharedRates(createRatesMemory({ width: 256 }));
  takes(rates, "a", 100, start + minute - 1, 100);
  assert.equal(takes(rates, "a", 100, start + minute, 100), 0);
  assert.equal(takes(rates, "a", 100, start + minute * 1.5, 100), 50);
  assert.equal(takes(rates, "a", 100, start + minute * 3, 200), 100);
});

test("a clock that is set back begins a new count and refuses nobody", () => {
  const rates = new SharedRates(createRatesMemory({ width: 256 }));
  takes(rates, "a", 10, start, 10);
  assert.equal(takes(rates, "a", 10, start - 5 * minute, 10), 10);
});

test("a count that is very high stays where it is", () => {
  const rates = new SharedRates(createRatesMemory({ width: 256 }));
  const most = 2 ** 20 - 1;
  assert.equal(takes(rates, "a", most, start, 1000), 1000);
  assert.ok(rates.take("a", Infinity, start));
});
