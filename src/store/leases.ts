import type { BroadcastChannel } from "node:worker_threads";
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import { err, ok } from "../lib/result.ts";
import type { MailboxId } from "../model/ids.ts";
import {
  FREE,
  growFor,
  HELD,
  LEASE,
  MARK,
  MOST_THREADS,
  nextTaking,
  OPENED,
  PROGRESS,
  stateOf,
  TAKING,
  threadOf,
  tickBefore,
  tickBehind,
  ticksBetween,
  UPDATING,
  withState,
  wordsOf,
} from "./lease-words.ts";
import type { Claim, Lease, Leases } from "./ports.ts";

/** Who takes a lease: a session by its device's mark, or nobody who could come back for it. */
type Taker = { readonly mark: number; readonly session: boolean; readonly lost: () => void };

// Device.mark is never this: such a lease is taken over by nobody.
const NO_MARK = 0;
const LONGEST_WAIT_MS = 1000;

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

  async acquire(mailbox: MailboxId, claim: Claim, lost: () => void): Promise<Result<Lease, "in-use">> {
    const index = this.#indexOf(mailbox);
    const taker = { mark: (claim.takeOver?.mark ?? NO_MARK) | 0, session: claim.job !== true, lost };
    const deadline = this.#clock.monotonic() + claim.waitMs;
    for (;;) {
      const word = Atomics.load(this.#words, index + LEASE);
      const untilOurs = this.#untilOurs(index, word, claim);
      if (untilOurs === 0) {
        const lease = this.#take(mailbox, index, word, taker);
        if (lease !== undefined) return ok(lease);
        continue;
      }
      const left = deadline - this.#clock.monotonic();
      if (left <= 0) return err("in-use");
      await this.#change(index, word, Math.min(left, untilOurs));
    }
  }

  async revoke(mailbox: MailboxId): Promise<Lease> {
    const index = this.#indexOf(mailbox);
    for (;;) {
      const word = Atomics.load(this.#words, index + LEASE);
      if (stateOf(word) === UPDATING || stateOf(word) === TAKING) {
        // An UPDATE ends with its transaction, or with its thread; a taking at once.
        await this.#change(index, word, LONGEST_WAIT_MS);
        continue;
      }
      const lease = this.#take(mailbox, index, word, { mark: NO_MARK, session: false, lost: ignore });
      if (lease !== undefined) return lease;
    }
  }

  secondsSinceOpened(mailbox: MailboxId): number {
    const opened = Atomics.load(this.#words, this.#indexOf(mailbox) + OPENED);
    if (opened === 0) return Number.POSITIVE_INFINITY;
    return ticksBetween(opened, tickBehind(this.#clock.monotonic())) / 1000;
  }

  held(mailbox: MailboxId): boolean {
    const index = wordsOf(mailbox);
    return index < this.#words.length && stateOf(Atomics.load(this.#words, index + LEASE)) !== FREE;
  }

  [Symbol.dispose](): void {
    for (const lease of this.#mine.values()) lease.release();
    this.#channel?.close();
  }

  /** Milliseconds until a claim may take what this word says: 0 now, Infinity only when it changes. */
  #untilOurs(index: number, word: number, { takeOver }: Claim): number {
    if (stateOf(word) === FREE) return 0;
    if (stateOf(word) !== HELD || takeOver === undefined) return Number.POSITIVE_INFINITY;
    const mark = Atomics.load(this.#words, index + MARK);
    if (mark === NO_MARK || mark !== (takeOver.mark | 0)) return Number.POSITIVE_INFINITY;
    const progress = Atomics.load(this.#words, index + PROGRESS);
    const still = ticksBetween(progress, tickBefore(this.#clock.monotonic()));
    return Math.max(0, takeOver.afterSeconds * 1000 - still);
  }

  /**
   * free or held → taking → held by us, with the next generation. What made the claim right (mark, progress) was read after
   * `word`, and cannot have changed while that stands: so of two takers one comes too late, and so does who takes when the
   * holder has entered UPDATE or has given the lease back.
   */
  #take(mailbox: MailboxId, index: number, word: number, { mark, session, lost }: Taker): Lease | undefined {
    const words = this.#words;
    const taking = nextTaking(word, this.#thread);
    if (Atomics.compareExchange(words, index + LEASE, word, taking) !== word) return undefined;
    const now = this.#clock.monotonic();
    Atomics.store(words, index + MARK, mark);
    Atomics.store(words, index + PROGRESS, tickBehind(now));
    if (session) Atomics.store(words, index + OPENED, tickBefore(now) || 1);
    const mine = withState(taking, HELD);
    Atomics.compareExchange(words, index + LEASE, taking, mine);
    Atomics.notify(words, index + LEASE);
    // The lease that stood here before is over; if it was taken from this thread, this is how it hears.
    const before = this.#mine.get(mailbox);
    const lease = new HeldLease({ mailbox, words, index, word: mine, clock: this.#clock, lost });
    lease.ended = () => {
      if (this.#mine.get(mailbox) === lease) this.#mine.delete(mailbox);
    };
    this.#mine.set(mailbox, lease);
    before?.tellLost();
    if (stateOf(word) === HELD && threadOf(word) !== this.#thread) this.#channel?.postMessage(mailbox);
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
    const waiting = Atomics.waitAsync(this.#words, index + LEASE, word, ms);
    if (!waiting.async) return;
    // What waits on a word does not keep the loop alive by itself.
    const alive = setTimeout(ignore, ms + 50);
    await waiting.value;
    clearTimeout(alive);
  }

  #indexOf(mailbox: MailboxId): number {
    assert(growFor(mailbox, this.#buffer), "the lease table has room for every mailbox");
    return wordsOf(mailbox);
  }
}

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
    return stateOf(this.#word) !== FREE && Atomics.load(words, index + LEASE) === this.#word;
  }

  touch(): void {
    const { words, index, clock } = this.#parts;
    if (this.held()) Atomics.store(words, index + PROGRESS, tickBehind(clock.monotonic()));
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
    const held = this.#word;
    if (stateOf(held) === FREE || Atomics.compareExchange(words, index + LEASE, held, next) !== held) return false;
    this.#word = next;
    Atomics.notify(words, index + LEASE);
    return true;
  }
}

function ignore(): void {}
