const SLOW_READ_MS = 5;
const WARY_MS = 1000;

/**
 * Whether the disk is quick enough to be read in the middle of the loop: mail in the page cache takes microseconds, a
 * cold disk milliseconds in which no other session is served. One slow read makes it wary for a while.
 */
export class DiskPace {
  readonly #now: () => number;
  #waryUntil = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  isQuick(): boolean {
    return this.#now() >= this.#waryUntil;
  }

  /** Runs a read that blocks, and notes how long it took. */
  timed(read: () => number): number {
    const started = this.#now();
    try {
      return read();
    } finally {
      const ended = this.#now();
      if (ended - started > SLOW_READ_MS) this.#waryUntil = ended + WARY_MS;
    }
  }
}
