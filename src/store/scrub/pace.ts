import { setTimeout as sleep } from "node:timers/promises";

// Shorter waits are gathered: a timer is no more exact.
const LEAST_WAIT_MS = 10;
// After a pause nothing is made up for: what is read stays even.
const MOST_CREDIT_MS = 100;

/** Holds reading to a rate, so that people who fetch their mail do not notice. */
export class Pace {
  readonly #octetsPerMs: number;
  readonly #now: () => number;
  readonly #signal: AbortSignal;
  /** Until when what was read so far may take. */
  #due: number;

  constructor(octetsPerSecond: number, now: () => number, signal: AbortSignal) {
    this.#octetsPerMs = octetsPerSecond / 1000;
    this.#now = now;
    this.#signal = signal;
    this.#due = now();
  }

  /** Waits as long as so many octets take; rejects when it is told to stop. */
  async spend(octets: number): Promise<void> {
    this.#signal.throwIfAborted();
    const now = this.#now();
    this.#due = Math.max(this.#due, now - MOST_CREDIT_MS) + octets / this.#octetsPerMs;
    const wait = this.#due - now;
    if (wait >= LEAST_WAIT_MS) await sleep(wait, undefined, { signal: this.#signal });
  }
}
