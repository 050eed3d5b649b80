import { newSeed, placesOf } from "./shared-counts.ts";

/** The memory in which all threads count what comes in a minute; plain data, so that the main thread can post it. */
export type RatesMemory = { readonly cells: SharedArrayBuffer; readonly width: number; readonly seed: string };

const ROWS = 4;
const MINUTE_MS = 60_000;
// A cell holds the minute that it counts (the lower bits of it) above its count: one that is of another minute is empty.
const COUNT_BITS = 20;
const MOST = 2 ** COUNT_BITS - 1;
const MINUTE_MASK = 2 ** (32 - COUNT_BITS) - 1;

/** Makes the memory; `width` is about how many different keys a minute are told apart. */
export function createRatesMemory(options: { readonly width: number }): RatesMemory {
  const width = 2 ** Math.ceil(Math.log2(options.width));
  // Two minutes: this one and the last.
  return { cells: new SharedArrayBuffer(2 * ROWS * width * Int32Array.BYTES_PER_ELEMENT), width, seed: newSeed() };
}

/**
 * Counts events by key over the last minute, in all threads: a count-min sketch for this minute and one for the last,
 * whose count fades as this one grows old. A rate is never seen too low.
 */
export class SharedRates {
  readonly #memory: RatesMemory;
  readonly #minutes: readonly [Int32Array, Int32Array];

  constructor(memory: RatesMemory) {
    const cells = ROWS * memory.width;
    this.#memory = memory;
    this.#minutes = [
      new Int32Array(memory.cells, 0, cells),
      new Int32Array(memory.cells, cells * Int32Array.BYTES_PER_ELEMENT, cells),
    ];
  }

  /** Counts one more at this time (ms since 1970) unless the last minute had as many as the limit; then false. */
  take(key: string, limit: number, now: number): boolean {
    const minute = Math.floor(now / MINUTE_MS);
    const places = placesOf(this.#memory.seed, key, this.#memory.width);
    const last = this.#of(minute - 1);
    const faded = Math.min(...places.map((place) => countOf(Atomics.load(last, place), minute - 1)));
    const before = faded * (1 - (now % MINUTE_MS) / MINUTE_MS);
    const cells = this.#of(minute);
    let here = Infinity;
    for (const place of places) here = Math.min(here, change(cells, place, minute, 1));
    if (here + before < limit) return true;
    for (const place of places) change(cells, place, minute, -1);
    return false;
  }

  #of(minute: number): Int32Array {
    return this.#minutes[minute % 2 === 0 ? 0 : 1];
  }
}

function countOf(cell: number, minute: number): number {
  return cell >>> COUNT_BITS === (minute & MINUTE_MASK) ? cell & MOST : 0;
}

/** Gives the count as it was before. */
function change(cells: Int32Array, place: number, minute: number, by: 1 | -1): number {
  for (;;) {
    const cell = Atomics.load(cells, place);
    const count = countOf(cell, minute);
    const changed = ((minute & MINUTE_MASK) << COUNT_BITS) | Math.min(MOST, Math.max(0, count + by));
    if (Atomics.compareExchange(cells, place, cell, changed) === cell) return count;
  }
}
