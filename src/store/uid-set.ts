import { assert } from "../lib/assert.ts";
import { decodeVarints, encodeVarints } from "./varints.ts";

const HIGHEST = 0xffffffff;

/** A set of uids as ranges, so that "all of a million" is one pair and a removal fits in one row. */
export class UidSet {
  /** First and last of each range, ascending, never touching. */
  readonly #bounds: Uint32Array;

  private constructor(bounds: Uint32Array) {
    this.#bounds = bounds;
  }

  /** Every uid there can be. */
  static all(): UidSet {
    return new UidSet(Uint32Array.of(0, HIGHEST));
  }

  /** These, in any order; one that comes twice counts once. */
  static of(uids: Uint32Array): UidSet {
    const bounds: number[] = [];
    for (const uid of uids.slice().toSorted()) push(bounds, uid, uid);
    return new UidSet(Uint32Array.from(bounds));
  }

  /** The set that encode() wrote. */
  static decode(octets: Uint8Array): UidSet {
    const numbers = decodeVarints(octets);
    assert(numbers.length % 2 === 0, "a set of uids is whole");
    const bounds = new Uint32Array(numbers.length);
    let next = 0;
    for (let index = 0; index < numbers.length; index += 2) {
      const first = next + (numbers[index] ?? 0);
      const last = first + (numbers[index + 1] ?? 0);
      bounds.set([first, last], index);
      next = last + 1;
    }
    return new UidSet(bounds);
  }

  get count(): number {
    let sum = 0;
    for (const [first, last] of this.ranges()) sum += last - first + 1;
    return sum;
  }

  get rangeCount(): number {
    return this.#bounds.length / 2;
  }

  has(uid: number): boolean {
    return this.#lastFrom(uid) !== undefined;
  }

  /** The first uid from here on that is not in the set. */
  nextOutside(uid: number): number {
    const last = this.#lastFrom(uid);
    return last === undefined ? uid : last + 1;
  }

  /** The first uid from here on that is in the set. */
  nextInside(uid: number): number | undefined {
    const range = this.#rangeEndingFrom(uid);
    return range === undefined ? undefined : Math.max(uid, this.#bounds[range] ?? 0);
  }

  /** How many uids of the set are below this one; undefined: it is not in the set. */
  indexOf(uid: number): number | undefined {
    let below = 0;
    for (const [first, last] of this.ranges()) {
      if (uid <= last) return uid < first ? undefined : below + uid - first;
      below += last - first + 1;
    }
    return undefined;
  }

  /** The uid that has so many of the set below it. */
  at(index: number): number | undefined {
    let rest = index;
    for (const [first, last] of this.ranges()) {
      if (rest <= last - first) return first + rest;
      rest -= last - first + 1;
    }
    return undefined;
  }

  minus(other: UidSet): UidSet {
    const bounds: number[] = [];
    for (const [first, last] of this.ranges()) {
      let from = first;
      while (from <= last) {
        from = other.nextOutside(from);
        if (from > last) break;
        const to = Math.min(last, (other.nextInside(from) ?? HIGHEST + 1) - 1);
        push(bounds, from, to);
        from = to + 1;
      }
    }
    return new UidSet(Uint32Array.from(bounds));
  }

  /** Each of them, the lowest first, so many at most; all only of small sets. */
  toArray(limit = Infinity): number[] {
    const uids: number[] = [];
    for (const [first, last] of this.ranges()) {
      for (let uid = first; uid <= last; uid += 1) {
        if (uids.length >= limit) return uids;
        uids.push(uid);
      }
    }
    return uids;
  }

  *ranges(): Generator<readonly [first: number, last: number]> {
    for (let index = 0; index < this.#bounds.length; index += 2) {
      yield [this.#bounds[index] ?? 0, this.#bounds[index + 1] ?? 0];
    }
  }

  /** Gaps and lengths in groups of seven bits: two octets a range for most. */
  encode(): Uint8Array {
    const numbers: number[] = [];
    let next = 0;
    for (const [first, last] of this.ranges()) {
      numbers.push(first - next, last - first);
      next = last + 1;
    }
    return encodeVarints(numbers);
  }

  /** The last uid of the range that holds this one. */
  #lastFrom(uid: number): number | undefined {
    const range = this.#rangeEndingFrom(uid);
    return range !== undefined && (this.#bounds[range] ?? 0) <= uid ? this.#bounds[range + 1] : undefined;
  }

  /** Index of the first range whose last uid is not below this one. */
  #rangeEndingFrom(uid: number): number | undefined {
    let low = 0;
    let high = this.rangeCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#bounds[middle * 2 + 1] ?? 0) < uid) low = middle + 1;
      else high = middle;
    }
    return low < this.rangeCount ? low * 2 : undefined;
  }
}

function push(bounds: number[], first: number, last: number): void {
  const end = bounds.at(-1);
  if (end !== undefined && first <= end + 1) bounds[bounds.length - 1] = Math.max(end, last);
  else bounds.push(first, last);
}
