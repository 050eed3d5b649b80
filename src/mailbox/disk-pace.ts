const SLOW_READ_MS = 5;
const LEAST_WARY_MS = 5;
const MOST_WARY_MS = 1000;

/**
 * Whether the disk is quick enough to be read in the middle of the loop: mail in the page cache takes microseconds, a
 * cold disk milliseconds in which no other session is served. A slow read makes it wary for a moment, which doubles
 * while the reads after it are slow too: one only means, as a rule, that the machine had other work.
 */
export class DiskPace {
  readonly #now: () => number;
  #waryUntil = Number.NEGATIVE_INFINITY;
  #waryMs = LEAST_WARY_MS;

  constructor(now: () => number) {
    this.#now = now;
  }

  isQuick(): boolean {
    return this.#now() >= this.#waryUntil;
  }

  now(): number {
    return this.#now();
  }

  /** Notes that a read which began at `started` is over. */
  note(started: number): void {
    const ended = this.#now();
    if (ended - started > SLOW_READ_MS) {
      this.#waryUntil = ended + this.#waryMs;
      this.#waryMs = Math.min(MOST_WARY_MS, this.#waryMs * 2);
    } else this.#waryMs = LEAST_WARY_MS;
  }
}
