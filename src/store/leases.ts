import type { BroadcastChannel } from "node:worker_threads";
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import { err, ok } from "../lib/result.ts";
import type { MailboxId } from "../model/ids.ts";
import type { Lease, Leases } from "./ports.ts";

/*
 * Two words a mailbox, by the mailbox's row id: what the lease is, and when its session last made progress. The first
 * word: bits 0-1 state, 2-11 thread, 12-31 generation. Every change of it is one compareExchange.
 */
const FREE = 0;
const HELD = 1;
const UPDATING = 2;
const STATE_MASK = 3;
const MOST_MAILBOXES = 2 ** 24;
const FIRST_MAILBOXES = 2 ** 10;
const OCTETS_EACH = 8;

/** Thread numbers are below this. */
export const MOST_THREADS = 1024;

/** Makes the table of all leases; it grows as mailboxes do. */
export function createLeaseWords(): SharedArrayBuffer {
  return new SharedArrayBuffer(FIRST_MAILBOXES * OCTETS_EACH, { maxByteLength: MOST_MAILBOXES * OCTETS_EACH });
}

/** Frees what a dead thread held: call it when the store has answered all that the thread had asked for. */
export function freeLeasesOf(threadNumber: number, buffer: SharedArrayBuffer): void {
  const words = new Int32Array(buffer);
  for (let index = 0; index < words.length; index += 2) {
    const word = Atomics.load(words, index);
    if (stateOf(word) === FREE || threadOf(word) !== threadNumber) continue;
    Atomics.compareExchange(words, index, word, withState(word, FREE));
    Atomics.notify(words, index);
  }
}

/** The leases as one thread takes and gives them; see DESIGN "Lease, not lock file". */
export class LeaseTable implements Leases, Disposable {
  readonly #words: Int32Array;
  readonly #buffer: SharedArrayBuffer;
  readonly #thread: number;
  readonly #channel: BroadcastChannel | undefined;
  readonly #clock: Clock;
  /** Leases of this thread whose loss must be told. */
  readonly #mine = new Map<MailboxId, HeldLease>();

  /** `channel`: by which threads tell one another of a take-over; none where there is one thread only. */
  constructor(buffer: SharedArrayBuffer, thread: number, clock: Clock, channel?: BroadcastChannel) {
    assert(thread > 0 && thread < MOST_THREADS, "thread numbers fit in their bits");
    this.#buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#thread = thread;
    this.#clock = clock;
    this.#channel = channel;
    if (channel === undefined) return;
    channel.addEventListener("message", (event) => this.#lookLost((event as { readonly data: MailboxId }).data));
    channel.unref();
  }

  async acquire(mailbox: MailboxId, waitMs: number, lost: () => void): Promise<Result<Lease, "in-use">> {
    const index = this.#indexOf(mailbox);
    const deadline = this.#clock.monotonic() + waitMs;
    for (;;) {
      const word = Atomics.load(this.#words, index);
      if (stateOf(word) === FREE) {
        const lease = this.#take(mailbox, index, word, lost);
        if (lease !== undefined) return ok(lease);
        continue;
      }
      const left = deadline - this.#clock.monotonic();
      if (left <= 0) return err("in-use");
      await this.#change(index, word, left);
    }
  }

  async revoke(mailbox: MailboxId): Promise<Lease> {
    const index = this.#indexOf(mailbox);
    for (;;) {
      const word = Atomics.load(this.#words, index);
      if (stateOf(word) === UPDATING) {
        // An UPDATE ends with its transaction, or with its thread.
        await this.#change(index, word, LONGEST_WAIT_MS);
        continue;
      }
      const lease = this.#take(mailbox, index, word, ignore);
      if (lease === undefined) continue;
      if (stateOf(word) === HELD && threadOf(word) !== this.#thread) this.#channel?.postMessage(mailbox);
      return lease;
    }
  }

  held(mailbox: MailboxId): boolean {
    const index = mailbox * 2;
    return index < this.#words.length && stateOf(Atomics.load(this.#words, index)) !== FREE;
  }

  [Symbol.dispose](): void {
    for (const lease of this.#mine.values()) lease.release();
    this.#channel?.close();
  }

  /** free or held → held by us, with the next generation. */
  #take(mailbox: MailboxId, index: number, word: number, lost: () => void): Lease | undefined {
    const mine = nextHeld(word, this.#thread);
    if (Atomics.compareExchange(this.#words, index, word, mine) !== word) return undefined;
    Atomics.notify(this.#words, index);
    // The lease that stood here before is over; if it was taken from this thread, this is how it hears.
    const before = this.#mine.get(mailbox);
    const lease = new HeldLease({ mailbox, words: this.#words, index, word: mine, clock: this.#clock, lost });
    lease.ended = () => {
      if (this.#mine.get(mailbox) === lease) this.#mine.delete(mailbox);
    };
    this.#mine.set(mailbox, lease);
    before?.tellLost();
    lease.touch();
    return lease;
  }

  #lookLost(mailbox: MailboxId): void {
    const lease = this.#mine.get(mailbox);
    if (lease === undefined || lease.held()) return;
    this.#mine.delete(mailbox);
    lease.tellLost();
  }

  /** Waits until the word changes, or for so long. */
  async #change(index: number, word: number, waitMs: number): Promise<void> {
    const ms = Math.min(waitMs, LONGEST_WAIT_MS);
    const waiting = Atomics.waitAsync(this.#words, index, word, ms);
    if (!waiting.async) return;
    // What waits on a word does not keep the loop alive by itself.
    const alive = setTimeout(ignore, ms + 50);
    await waiting.value;
    clearTimeout(alive);
  }

  #indexOf(mailbox: MailboxId): number {
    assert(mailbox < MOST_MAILBOXES, "the lease table has room for every mailbox");
    const needed = (mailbox + 1) * OCTETS_EACH;
    while (this.#buffer.byteLength < needed) {
      const octets = Math.min(MOST_MAILBOXES * OCTETS_EACH, Math.max(needed, this.#buffer.byteLength * 2));
      try {
        this.#buffer.grow(octets);
      } catch (cause) {
        // Another thread was quicker and grew it further.
        if (this.#buffer.byteLength < octets) throw cause;
      }
    }
    return mailbox * 2;
  }
}

const LONGEST_WAIT_MS = 1000;

type Parts = {
  readonly mailbox: MailboxId;
  readonly words: Int32Array;
  readonly index: number;
  readonly word: number;
  readonly clock: Clock;
  readonly lost: () => void;
};

class HeldLease implements Lease {
  readonly mailbox: MailboxId;
  readonly #parts: Parts;
  #word: number;
  #told = false;
  ended: () => void = ignore;

  constructor(parts: Parts) {
    this.mailbox = parts.mailbox;
    this.#parts = parts;
    this.#word = parts.word;
  }

  held(): boolean {
    const { words, index } = this.#parts;
    return stateOf(this.#word) !== FREE && Atomics.load(words, index) === this.#word;
  }

  touch(): void {
    const { words, index, clock } = this.#parts;
    if (this.held()) Atomics.store(words, index + 1, Math.floor(clock.now() / 1000) | 0);
  }

  beginUpdate(): boolean {
    return this.#change(UPDATING);
  }

  release(): void {
    // Whoever gives a lease back needs no word of its loss.
    this.#told = true;
    this.#change(FREE);
    this.ended();
  }

  /** Once, and only when it was taken from a holder that did not give it back. */
  tellLost(): void {
    if (this.#told) return;
    this.#told = true;
    this.#parts.lost();
  }

  #change(state: number): boolean {
    const { words, index } = this.#parts;
    const next = withState(this.#word, state);
    if (stateOf(this.#word) === FREE || Atomics.compareExchange(words, index, this.#word, next) !== this.#word) {
      return false;
    }
    this.#word = next;
    Atomics.notify(words, index);
    return true;
  }
}

function ignore(): void {}

function stateOf(word: number): number {
  return word & STATE_MASK;
}

function threadOf(word: number): number {
  return (word >>> 2) & (MOST_THREADS - 1);
}

function withState(word: number, state: number): number {
  return (word & ~STATE_MASK) | state;
}

function nextHeld(word: number, thread: number): number {
  return (((word >>> 12) + 1) << 12) | (thread << 2) | HELD;
}
