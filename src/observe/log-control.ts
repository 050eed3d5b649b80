import type { Level } from "./log-port.ts";

/** Levels in order of weight. */
export const levels = ["debug", "info", "warn", "error"] as const satisfies readonly Level[];

/** What the threads share of the log. */
export type LogShared = { readonly control: SharedArrayBuffer };

const CONTROL_OCTETS = 16;
const LEVEL_CELL = 2;
const TRANSIT_CELL = 3;

/** Makes what the threads share. */
export function createLogShared(level: Level): LogShared {
  const shared = { control: new SharedArrayBuffer(CONTROL_OCTETS) };
  new LogControl(shared).setLevel(level);
  return shared;
}

/** One thread's view of what is shared: the next sequence number, the level, the octets on their way to the main thread. */
export class LogControl {
  readonly #sequence: BigInt64Array;
  readonly #cells: Int32Array;

  constructor(shared: LogShared) {
    this.#sequence = new BigInt64Array(shared.control, 0, 1);
    this.#cells = new Int32Array(shared.control);
  }

  /** Numbers begin at 1; no number is given twice or left out in this process. */
  nextSequence(): bigint {
    return Atomics.add(this.#sequence, 0, 1n) + 1n;
  }

  /** Whether events of this weight (index in `levels`) are written now. */
  takes(weight: number): boolean {
    return weight >= Atomics.load(this.#cells, LEVEL_CELL);
  }

  /** Holds for every thread at once. */
  setLevel(level: Level): void {
    Atomics.store(this.#cells, LEVEL_CELL, levels.indexOf(level));
  }

  get transit(): number {
    return Atomics.load(this.#cells, TRANSIT_CELL);
  }

  addTransit(octets: number): void {
    Atomics.add(this.#cells, TRANSIT_CELL, octets);
  }
}
