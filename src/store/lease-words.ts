/*
 * The words of all leases in shared memory: four a mailbox, by the mailbox's row id.
 *
 * LEASE  bits 0-1 state, 2-11 thread, 12-31 generation. Every change of it is one compareExchange.
 * PROGRESS, MARK, OPENED  when its session last made progress, which device it is, when a session last took it. Only who is
 *   TAKING the lease writes them (PROGRESS: its holder too), so whoever read them and then changes the LEASE word that he
 *   saw before knows that they belonged together.
 */
export const FREE = 0;
export const HELD = 1;
export const UPDATING = 2;
export const TAKING = 3;

export const LEASE = 0;
export const PROGRESS = 1;
export const MARK = 2;
export const OPENED = 3;

const WORDS = 4;
const OCTETS_EACH = WORDS * Int32Array.BYTES_PER_ELEMENT;
const MOST_MAILBOXES = 2 ** 24;
const FIRST_MAILBOXES = 2 ** 10;
const STATE_MASK = 3;

/** Thread numbers are below this. */
export const MOST_THREADS = 1024;

/** Makes the table of all leases; it grows as mailboxes do. */
export function createLeaseWords(): SharedArrayBuffer {
  return new SharedArrayBuffer(FIRST_MAILBOXES * OCTETS_EACH, { maxByteLength: MOST_MAILBOXES * OCTETS_EACH });
}

/** Where a mailbox's words begin. */
export function wordsOf(mailbox: number): number {
  return mailbox * WORDS;
}

/** Makes room for a mailbox; false: there are more than the table may ever hold. */
export function growFor(mailbox: number, buffer: SharedArrayBuffer): boolean {
  if (mailbox >= MOST_MAILBOXES) return false;
  const needed = (mailbox + 1) * OCTETS_EACH;
  while (buffer.byteLength < needed) {
    const octets = Math.min(MOST_MAILBOXES * OCTETS_EACH, Math.max(needed, buffer.byteLength * 2));
    try {
      buffer.grow(octets);
    } catch (cause) {
      // Another thread was quicker and grew it further.
      if (buffer.byteLength < octets) throw cause;
    }
  }
  return true;
}

/** Frees what a dead thread held: call it when the store has answered all that the thread had asked for. */
export function freeLeasesOf(threadNumber: number, buffer: SharedArrayBuffer): void {
  const words = new Int32Array(buffer);
  for (let index = LEASE; index < words.length; index += WORDS) {
    const word = Atomics.load(words, index);
    if (stateOf(word) === FREE || threadOf(word) !== threadNumber) continue;
    // What was taken over meanwhile is another's.
    if (Atomics.compareExchange(words, index, word, withState(word, FREE)) === word) Atomics.notify(words, index);
  }
}

export function stateOf(word: number): number {
  return word & STATE_MASK;
}

export function threadOf(word: number): number {
  return (word >>> 2) & (MOST_THREADS - 1);
}

export function withState(word: number, state: number): number {
  return (word & ~STATE_MASK) | state;
}

/** The word of the next generation, which a thread is taking. */
export function nextTaking(word: number, thread: number): number {
  return (((word >>> 12) + 1) << 12) | (thread << 2) | TAKING;
}

/*
 * Times are ticks that wrap: a difference of less than four years is right. What was is rounded one
 * way and what is the other, so that the time between is never too long for a take-over, and never too short for LOGIN-DELAY.
 */
const TICK_MS = 1000 / 16;

/** The tick before a time. */
export function tickBefore(ms: number): number {
  return Math.floor(ms / TICK_MS) | 0;
}

/** The tick behind a time. */
export function tickBehind(ms: number): number {
  return Math.ceil(ms / TICK_MS) | 0;
}

/** Milliseconds from one tick to a later one; 0 where it is not later. */
export function ticksBetween(from: number, to: number): number {
  return Math.max(0, (to - from) | 0) * TICK_MS;
}
