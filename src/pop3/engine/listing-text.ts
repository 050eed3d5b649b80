import type { Listing } from "../../model/listing.ts";
import { uidl } from "../../model/message.ts";
import type { Uid } from "../../model/ids.ts";
import type { Maildrop } from "./maildrop.ts";

// A slice is one write: large enough to be cheap, small enough for every session to hold one.
const SLICE_MESSAGES = 1024;

/** The lines of LIST or UIDL with their terminator, made slice by slice: a maildrop may hold a million messages. */
export class ListingText {
  readonly #drop: Maildrop;
  readonly #line: (listing: Listing, index: number) => string;
  #at = 0;

  constructor(drop: Maildrop, line: (listing: Listing, index: number) => string) {
    this.#drop = drop;
    this.#line = line;
  }

  /** Whether all of it, the terminator included, was given. */
  get done(): boolean {
    return this.#at > this.#drop.messages;
  }

  next(): string {
    const { listing, messages } = this.#drop;
    const end = Math.min(this.#at + SLICE_MESSAGES, messages);
    let text = "";
    // What is marked deleted is not listed (rule 1939-09).
    for (let index = this.#at; index < end; index += 1)
      if (!this.#drop.isMarked(index)) text += `${index + 1} ${this.#line(listing, index)}\r\n`;
    this.#at = end;
    if (end < messages) return text;
    this.#at = messages + 1;
    return `${text}.\r\n`;
  }
}

/** What LIST says of a message. */
export function octetsOf(listing: Listing, index: number): string {
  return String(listing.octets[index] ?? 0);
}

/** What UIDL says of a message (rule 1939-18). */
export function uidlOf(listing: Listing, index: number): string {
  const name = listing.names.size === 0 ? undefined : listing.names.get(index);
  return name ?? uidl((listing.uids[index] ?? 0) as Uid, listing.tags[index] ?? 0);
}
