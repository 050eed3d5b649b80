import { VarintWriter } from "./varints.ts";

/** A set of uids as the store keeps it: whole in a history, and in the parts in which a removal is carried out. */
export type PackedUids = { readonly whole: Uint8Array; readonly parts: readonly Uint8Array[] };

/** So much of a removal is one row: a set of more ranges takes longer to read than a slice of it to carry out. */
export const MOST_RANGES = 4000;

/**
 * Packs uids as they are found, in order: what UidSet would make of all of them at once, which for a million with gaps is more
 * than the writer has time for.
 */
export class UidPacker {
  readonly #mostRanges: number;
  readonly #whole = new Ranges();
  #part = new Ranges();
  readonly #parts: Uint8Array[] = [];
  #first = 0;
  // No uid is so low.
  #last = -1;

  constructor(mostRanges = MOST_RANGES) {
    this.#mostRanges = mostRanges;
  }

  /** The next one, above all before it. */
  add(uid: number): void {
    if (uid === this.#last + 1 && this.#last >= 0) {
      this.#last = uid;
      return;
    }
    this.#endRange();
    this.#first = uid;
    this.#last = uid;
  }

  /** All of them; nothing is added any more. */
  finish(): PackedUids {
    this.#endRange();
    this.#endPart();
    return { whole: this.#whole.octets, parts: this.#parts };
  }

  #endRange(): void {
    if (this.#last < 0) return;
    if (this.#part.count === this.#mostRanges) this.#endPart();
    this.#whole.push(this.#first, this.#last);
    this.#part.push(this.#first, this.#last);
  }

  #endPart(): void {
    if (this.#part.count > 0) this.#parts.push(this.#part.octets);
    this.#part = new Ranges();
  }
}

/** Gaps and lengths, as UidSet.encode() writes them. */
class Ranges {
  readonly #writer = new VarintWriter();
  #next = 0;
  count = 0;

  push(first: number, last: number): void {
    this.#writer.push(first - this.#next);
    this.#writer.push(last - first);
    this.#next = last + 1;
    this.count += 1;
  }

  get octets(): Uint8Array {
    return this.#writer.octets;
  }
}
