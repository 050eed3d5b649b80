import { assert } from "../../lib/assert.ts";
import { MOST_THREADS } from "../lease-words.ts";

/**
 * The numbers by which leases tell whose they are. A number is in use from the connection of a client until its leases
 * have been freed, so that the death of one thread never frees what another holds.
 */
export class ThreadNumbers {
  readonly #used = new Set<number>();
  #last = 0;

  /** The next number that nobody has; 0 is no thread. */
  take(): number {
    assert(this.#used.size < MOST_THREADS - 1, "a number for each client");
    do this.#last = (this.#last % (MOST_THREADS - 1)) + 1;
    while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  give(number: number): void {
    this.#used.delete(number);
  }
}
