import { assert } from "../lib/assert.ts";

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
    const bounds: number[] = [];
    let at = 0;
    const number = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const octet = octets[at];
        assert(octet !== undefined, "a set of uids is whole");
        at += 1;
        value += (octet & 127) * scale;
        if (octet < 128) return value;
      }
    };
    for (let next = 0; at < octets.length;) {
      const first = next + number();
      const last = first + number();
      bounds.push(first, last);
      next = last + 1;
    }
    return new UidSet(Uint32Array.from(bounds));
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

  /** Each of them; only for small sets. */
  toArray(): number[] {
    const uids: number[] = [];
    for (const [first, last] of this.ranges()) for (let uid = first; uid <= last; uid += 1) uids.push(uid);
    return uids;
  }

  *ranges(): Generator<readonly [first: number, last: number]> {
    for (let index = 0; index < this.#bounds.length; index += 2) {
      yield [this.#bounds[index] ?? 0, this.#bounds[index + 1] ?? 0];
    }
  }

  /** Gaps and lengths in groups of seven bits: two octets a range for most. */
  encode(): Uint8Array {
    const octets: number[] = [];
    let next = 0;
    for (const [first, last] of this.ranges()) {
      for (let value of [first - next, last - first]) {
        for (; value >= 128; value = Math.floor(value / 128)) octets.push((value % 128) + 128);
        octets.push(value);
      }
      next = last + 1;
    }
    return Uint8Array.from(octets);
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
