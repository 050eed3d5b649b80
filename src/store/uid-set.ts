import { assert } from "../lib/assert.ts";
import { decodeVarints, encodeVarints } from "./varints.ts";

const HIGHEST = 0xffffffff;

/**
 * A set of uids as ranges, so that "all of a million" is one pair and a removal fits in one row. Where every other uid is
 * missing it is a million pairs; what is done to it in the writer's turn goes through them once.
 */
export class UidSet {
  /** First and last of each range, ascending, never touching; undefined: still packed. */
  #unpacked: Uint32Array | undefined;
  #count: number | undefined;
  #encoded: Uint8Array | undefined;

  private constructor(bounds: Uint32Array | undefined, encoded?: Uint8Array) {
    this.#unpacked = bounds;
    this.#encoded = encoded;
  }

  /** Every uid there can be. */
  static all(): UidSet {
    return new UidSet(Uint32Array.of(0, HIGHEST));
  }

  /** These, in any order; one that comes twice counts once. */
  static of(uids: Uint32Array): UidSet {
    const ascending = isAscending(uids) ? uids : uids.toSorted();
    const ranges = new Ranges();
    for (let index = 0; index < ascending.length;) {
      const first = ascending[index] ?? 0;
      let last = first;
      for (index += 1; index < ascending.length && (ascending[index] ?? 0) <= last + 1; index += 1)
        last = ascending[index] ?? 0;
      ranges.push(first, last);
    }
    return new UidSet(ranges.bounds);
  }

  /** The set that encode() wrote. */
  static decode(octets: Uint8Array): UidSet {
    return new UidSet(boundsOf(octets));
  }

  /** The same, unpacked only when somebody asks what is in it. */
  static packed(octets: Uint8Array): UidSet {
    return new UidSet(undefined, octets);
  }

  get #bounds(): Uint32Array {
    this.#unpacked ??= boundsOf(this.#encoded ?? new Uint8Array(0));
    return this.#unpacked;
  }

  get count(): number {
    if (this.#count !== undefined) return this.#count;
    const bounds = this.#bounds;
    let sum = 0;
    for (let index = 0; index < bounds.length; index += 2) sum += (bounds[index + 1] ?? 0) - (bounds[index] ?? 0) + 1;
    this.#count = sum;
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
    const [mine, theirs] = [this.#bounds, other.#bounds];
    const ranges = new Ranges();
    // The first of theirs that does not end before where mine goes on.
    let at = 0;
    for (let index = 0; index < mine.length; index += 2) {
      let from = mine[index] ?? 0;
      const last = mine[index + 1] ?? 0;
      while (from <= last) {
        while (at < theirs.length && (theirs[at + 1] ?? 0) < from) at += 2;
        const taken = at < theirs.length ? (theirs[at] ?? 0) : HIGHEST + 1;
        if (from < taken) ranges.push(from, Math.min(last, taken - 1));
        if (taken > last) break;
        from = (theirs[at + 1] ?? 0) + 1;
      }
    }
    return new UidSet(ranges.bounds);
  }

  /** The same uids as sets of so many ranges at most, the lowest first. */
  parts(mostRanges: number): readonly UidSet[] {
    if (this.rangeCount <= mostRanges) return [this];
    const parts: UidSet[] = [];
    for (let at = 0; at < this.#bounds.length; at += mostRanges * 2)
      parts.push(new UidSet(this.#bounds.slice(at, at + mostRanges * 2)));
    return parts;
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
    // Asked for twice: a removal is noted, and so is its history.
    this.#encoded ??= encodeVarints(this.#gapsAndLengths());
    return this.#encoded;
  }

  #gapsAndLengths(): Uint32Array {
    const bounds = this.#bounds;
    const numbers = new Uint32Array(bounds.length);
    let next = 0;
    for (let index = 0; index < bounds.length; index += 2) {
      const first = bounds[index] ?? 0;
      const last = bounds[index + 1] ?? 0;
      numbers[index] = first - next;
      numbers[index + 1] = last - first;
      next = last + 1;
    }
    return numbers;
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

/** Ranges as they are found, ascending and apart. */
class Ranges {
  #bounds = new Uint32Array(16);
  #length = 0;

  push(first: number, last: number): void {
    if (this.#length === this.#bounds.length) {
      const larger = new Uint32Array(this.#bounds.length * 2);
      larger.set(this.#bounds);
      this.#bounds = larger;
    }
    this.#bounds[this.#length] = first;
    this.#bounds[this.#length + 1] = last;
    this.#length += 2;
  }

  get bounds(): Uint32Array {
    return this.#bounds.slice(0, this.#length);
  }
}

/** The bounds of the ranges that encode() packed. */
function boundsOf(octets: Uint8Array): Uint32Array {
  const numbers = decodeVarints(octets);
  assert(numbers.length % 2 === 0, "a set of uids is whole");
  const bounds = new Uint32Array(numbers.length);
  let next = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const first = next + (numbers[index] ?? 0);
    const last = first + (numbers[index + 1] ?? 0);
    bounds[index] = first;
    bounds[index + 1] = last;
    next = last + 1;
  }
  return bounds;
}

function isAscending(uids: Uint32Array): boolean {
  for (let index = 1; index < uids.length; index += 1) if ((uids[index - 1] ?? 0) > (uids[index] ?? 0)) return false;
  return true;
}
