import type { Codec } from "../lib/codec.ts";
import { createDowngrader } from "./downgrade/downgrade.ts";

const NOTHING = new Uint8Array(0);

/**
 * What a client without UTF8 gets of one message whose octets are not the stored ones (RFC 6856 §2): stored octets go in
 * as they were read, converted ones come out in pieces no longer than the buffer that takes them.
 */
export class Conversion {
  readonly #codec: Codec = createDowngrader();
  /** The octets that were reckoned at delivery. */
  readonly octets: number;
  /** Converted, given away. */
  #made = 0;
  #given = 0;
  #whole = false;
  #left: Uint8Array = NOTHING;

  constructor(octets: number) {
    this.octets = octets;
  }

  /** Takes the next stored octets; false: what they become is not what was reckoned. */
  take(stored: Uint8Array, last: boolean): boolean {
    const { octets } = this;
    this.#left = joined(this.#left, this.#codec.push(stored));
    if (last) this.#left = joined(this.#left, this.#codec.end());
    this.#made = this.#given + this.#left.length;
    this.#whole = last;
    return last ? this.#made === octets : this.#made <= octets;
  }

  /**
   * Moves the next piece into a buffer and gives its length; 0: more stored octets are needed first. The last octet is held
   * back until all was taken, so that nobody who counts them takes a message for whole that was not judged yet.
   */
  give(target: Uint8Array): number {
    const ready = this.#whole || this.#made < this.octets ? this.#left.length : this.#left.length - 1;
    const length = Math.min(target.length, Math.max(0, ready));
    const piece = this.#left.subarray(0, length);
    const left = this.#left.subarray(length);
    // What was converted may lie where it was read, and so in the target itself; what stays must not.
    this.#left = left.buffer === target.buffer ? left.slice() : left;
    target.set(piece);
    this.#given += length;
    return length;
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  return right.length === 0 ? left : Buffer.concat([left, right]);
}
