import { hash, randomBytes } from "node:crypto";

/** The memory that all threads count in; plain data, so that the main thread can post it. */
export type CountsMemory = {
  /** The sums, then what each thread has in them. */
  readonly cells: SharedArrayBuffer;
  readonly width: number;
  /** Keys the places, so that nobody can choose names that share theirs with somebody else's. */
  readonly seed: string;
};

const ROWS = 4;
const LEAST_WIDTH = 1024;
const MOST_LATELY = 4096;

/** Makes the memory for about this many things counted at once by threads with the numbers 0 to `threads` - 1. */
export function createCountsMemory(options: { readonly capacity: number; readonly threads: number }): CountsMemory {
  const width = 2 ** Math.ceil(Math.log2(Math.max(LEAST_WIDTH, options.capacity)));
  const octets = (1 + options.threads) * ROWS * width * Int32Array.BYTES_PER_ELEMENT;
  return { cells: new SharedArrayBuffer(octets), width, seed: newSeed() };
}

/** A secret for `placesOf`. */
export function newSeed(): string {
  return randomBytes(16).toString("latin1");
}

/** Where a key is counted: one place in each row, by a keyed hash. */
export function placesOf(seed: string, key: string, width: number): readonly number[] {
  const digest = hash("sha256", seed + key, "buffer");
  return Array.from({ length: ROWS }, (_, row) => row * width + (digest.readUInt32LE(row * 4) % width));
}

/**
 * Counts what is open by key over all threads: a count-min sketch, so that the memory is fixed however many keys there
 * are. A count is never too low; it is too high only while every one of its four places is shared with another key.
 */
export class SharedCounts {
  readonly #memory: CountsMemory;
  readonly #sums: Int32Array;
  // What of the sums is ours, so that it can be taken back when this thread dies.
  readonly #own: Int32Array;
  // Of keys that came lately: whoever enters leaves again, and mostly comes back. A hash costs as much as a row.
  readonly #lately = new Map<string, readonly number[]>();

  /** Only one living thread may have a number; what a dead one left under it is taken back. */
  constructor(memory: CountsMemory, thread: number) {
    const cells = ROWS * memory.width;
    this.#memory = memory;
    this.#sums = new Int32Array(memory.cells, 0, cells);
    this.#own = new Int32Array(memory.cells, (1 + thread) * cells * Int32Array.BYTES_PER_ELEMENT, cells);
    for (const [place, left] of this.#own.entries()) {
      if (left !== 0) Atomics.sub(this.#sums, place, Atomics.exchange(this.#own, place, 0));
    }
  }

  /** Counts one more unless there are as many as the limit already; then false. */
  enter(key: string, limit: number): boolean {
    const places = this.#placesOf(key);
    let before = Infinity;
    for (const place of places) {
      before = Math.min(before, Atomics.add(this.#sums, place, 1));
      Atomics.add(this.#own, place, 1);
    }
    if (before < limit) return true;
    this.#take(places);
    return false;
  }

  /** Takes back one that `enter` counted. */
  leave(key: string): void {
    this.#take(this.#placesOf(key));
  }

  /** How many there are now, in all threads. */
  count(key: string): number {
    const places = this.#placesOf(key);
    return Math.min(...places.map((place) => Atomics.load(this.#sums, place)));
  }

  #placesOf(key: string): readonly number[] {
    const known = this.#lately.get(key);
    if (known !== undefined) return known;
    if (this.#lately.size >= MOST_LATELY) this.#lately.clear();
    const places = placesOf(this.#memory.seed, key, this.#memory.width);
    this.#lately.set(key, places);
    return places;
  }

  #take(places: readonly number[]): void {
    for (const place of places) {
      Atomics.sub(this.#sums, place, 1);
      Atomics.sub(this.#own, place, 1);
    }
  }
}
