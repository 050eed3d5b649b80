import { err, ok, type Result } from "../../lib/result.ts";
import type { Uid } from "../../model/ids.ts";
import type { Listing } from "../../model/listing.ts";

export type NotFound = "bad-number" | "no-such-message" | "deleted";

const EMPTY: Listing = {
  messages: 0,
  uids: new Uint32Array(0),
  octets: new Uint32Array(0),
  tags: new Uint32Array(0),
  names: new Map(),
};

/**
 * A maildrop as its session sees it: the messages of the open, numbered 1 to n and never renumbered (rule 1939-07), what
 * is marked deleted, and what is barred from deletion. An index is a message's number less one.
 */
export class Maildrop {
  /** As it was at the open. */
  readonly messages: number;
  #listing = EMPTY;
  #loaded: boolean;
  // Not marked deleted; a sum of octets is a plain number, which is exact far beyond 4 GiB (rule 1939-08).
  #left: number;
  #octetsLeft: number;
  readonly #marks: Bits;
  readonly #barred: Bits;

  constructor(messages: number, octets: number) {
    this.messages = messages;
    this.#left = messages;
    this.#octetsLeft = octets;
    this.#marks = new Bits(messages);
    this.#barred = new Bits(messages);
    // An empty one need not be asked for.
    this.#loaded = messages === 0;
  }

  /** Whether the listing is there; without it only STAT can be answered. */
  get isLoaded(): boolean {
    return this.#loaded;
  }

  get listing(): Listing {
    return this.#listing;
  }

  /** Messages that are not marked deleted. */
  get left(): number {
    return this.#left;
  }

  get octetsLeft(): number {
    return this.#octetsLeft;
  }

  /** Takes the listing once it was read; false: it is not the one of the open, so nothing can be numbered by it. */
  load(listing: Listing): boolean {
    if (listing.messages !== this.messages) return false;
    this.#listing = listing;
    this.#loaded = true;
    let octets = 0;
    for (let index = 0; index < listing.messages; index += 1) octets += listing.octets[index] ?? 0;
    this.#octetsLeft = octets;
    return true;
  }

  /** The index of the message that a client names, if there is one that is not marked deleted (rule 1939-14). */
  find(number: string): Result<number, NotFound> {
    if (!/^[0-9]{1,10}$/.test(number)) return err("bad-number");
    const index = Number(number) - 1;
    if (index < 0 || index >= this.messages) return err("no-such-message");
    return this.#marks.has(index) ? err("deleted") : ok(index);
  }

  isMarked(index: number): boolean {
    return this.#marks.has(index);
  }

  uid(index: number): Uid {
    return (this.#listing.uids[index] ?? 0) as Uid;
  }

  octets(index: number): number {
    return this.#listing.octets[index] ?? 0;
  }

  /** Marks a message deleted; false: it is barred. */
  mark(index: number): boolean {
    if (this.#barred.has(index)) return false;
    this.#marks.add(index);
    this.#left -= 1;
    this.#octetsLeft -= this.octets(index);
    return true;
  }

  /** Unmarks all (rule 1939-15). */
  reset(): void {
    if (this.#left === this.messages) return;
    for (let index = 0; index < this.messages; index += 1)
      if (this.#marks.has(index)) this.#octetsLeft += this.octets(index);
    this.#left = this.messages;
    this.#marks.clear();
  }

  /** Keeps a message from deletion until it has gone out whole: what its owner could not read is not removed. */
  bar(index: number): void {
    this.#barred.add(index);
  }

  unbar(index: number): void {
    this.#barred.delete(index);
  }

  /** The uids of what is marked, ascending. */
  marked(): Uint32Array {
    const uids = new Uint32Array(this.messages - this.#left);
    for (let index = 0, at = 0; at < uids.length; index += 1)
      if (this.#marks.has(index)) {
        uids[at] = this.uid(index);
        at += 1;
      }
    return uids;
  }
}

// A set of small numbers, one bit each; most sessions put nothing in and so need no memory.
class Bits {
  readonly #size: number;
  #octets: Uint8Array | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  has(index: number): boolean {
    return this.#octets !== undefined && ((this.#octets[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  add(index: number): void {
    this.#octets ??= new Uint8Array((this.#size + 7) >> 3);
    this.#octets[index >> 3] = (this.#octets[index >> 3] ?? 0) | (1 << (index & 7));
  }

  delete(index: number): void {
    if (this.#octets === undefined) return;
    this.#octets[index >> 3] = (this.#octets[index >> 3] ?? 0) & ~(1 << (index & 7));
  }

  clear(): void {
    this.#octets = undefined;
  }
}
