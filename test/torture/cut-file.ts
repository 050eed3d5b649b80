import type { Random } from "../e2e/harness/random.ts";

/** What a disk writes whole or not at all. */
export const SECTOR_OCTETS = 512;

/** A write, or a truncation where `data` is missing; `at` is its place in time. */
type Change = { readonly at: number; readonly offset: number; readonly data?: Buffer };

/**
 * What became of the changes since a file's last sync. "kept": all; "dropped": none; "past": those before `time`; "torn": some
 * first ones, and a part of the next; "any": of each sector, and of the length, as many first ones as chance will, but a
 * truncation comes to all of them or to none: it is a change of the length, which file systems log as one.
 */
export type Fate =
  { readonly how: "kept" | "dropped" | "torn" | "any" } | { readonly how: "past"; readonly time: number };

/** What a cut did to the changes: how many are not there, how many only in part, how many overtook an earlier one. */
export type Damage = { dropped: number; torn: number; reordered: number };

/** The changes of which a sector, or the length, keeps only the first so many. */
type Limits = {
  readonly ofSector: (sector: number) => number;
  readonly isTruncated: (index: number) => boolean;
  readonly octets: number;
};

/** A file with what is on disk and what is on its way there. */
export class CutFile {
  /** What is on disk, with room behind it. */
  #durable: Buffer;
  #octets: number;
  readonly #pending: Change[] = [];

  constructor(octets: Buffer = Buffer.alloc(0)) {
    this.#durable = octets;
    this.#octets = octets.length;
  }

  write(at: number, offset: number, data: Buffer): void {
    this.#pending.push({ at, offset, data });
  }

  truncate(at: number, octets: number): void {
    this.#pending.push({ at, offset: octets });
  }

  sync(): void {
    const most = Math.max(...this.#lengths());
    if (most > this.#durable.length) {
      const larger = Buffer.alloc(2 * most);
      this.#durable.copy(larger, 0, 0, this.#octets);
      this.#durable = larger;
    }
    for (const { offset, data } of this.#pending) {
      if (data !== undefined) data.copy(this.#durable, offset);
      else this.#durable.fill(0, offset);
    }
    this.#octets = this.#lengths().at(-1) ?? 0;
    this.#pending.length = 0;
  }

  /** The octets that a power cut leaves. */
  cut(fate: Fate, random: Random, damage: Damage): Buffer {
    if (this.#pending.length === 0) return Buffer.from(this.#durable.subarray(0, this.#octets));
    const limits = this.#limits(fate, random);
    this.#reckon(limits, damage);
    return this.#after(limits);
  }

  #limits(fate: Fate, random: Random): Limits {
    const count = this.#pending.length;
    if (fate.how === "kept") return this.#whole();
    if (fate.how === "dropped") return this.#first(0);
    if (fate.how === "past") return this.#first(this.#pending.filter(({ at }) => at < fate.time).length);
    if (fate.how === "torn") return this.#torn(random.between(1, count), random);
    const came = this.#pending.map(() => random.fraction() < 0.5);
    const isTruncated = (index: number): boolean => came[index] ?? false;
    const chosen = new Map<number, number>();
    const ofSector = (sector: number): number => {
      const limit = chosen.get(sector) ?? anyLimit(count, random);
      chosen.set(sector, limit);
      return limit;
    };
    return { ofSector, isTruncated, octets: anyLength(this.#lengths(isTruncated), random) };
  }

  #whole(): Limits {
    return this.#first(this.#pending.length);
  }

  #first(count: number): Limits {
    return { ofSector: () => count, isTruncated: (index) => index < count, octets: this.#lengths()[count] ?? 0 };
  }

  /** All before the one with this number, and of that one its first sectors. */
  #torn(count: number, random: Random): Limits {
    const lengths = this.#lengths();
    const before = lengths[count - 1] ?? 0;
    const after = lengths[count] ?? 0;
    const { offset, data } = this.#pending[count - 1] ?? { offset: 0 };
    if (data === undefined) return this.#first(random.between(count - 1, count));
    const first = Math.floor(offset / SECTOR_OCTETS);
    const end = random.between(first, Math.ceil((offset + data.length) / SECTOR_OCTETS));
    const octets = Math.max(before, Math.min(after, end * SECTOR_OCTETS));
    const ofSector = (sector: number): number => (sector < end ? count : count - 1);
    return { ofSector, isTruncated: (index) => index < count, octets };
  }

  /** The length after none of the changes, after one, and so on; of a truncation that did not come, as if it never was. */
  #lengths(isTruncated: Limits["isTruncated"] = () => true): number[] {
    const lengths = [this.#octets];
    for (const [index, { offset, data }] of this.#pending.entries()) {
      const before = lengths.at(-1) ?? 0;
      if (data === undefined) lengths.push(isTruncated(index) ? offset : before);
      else lengths.push(Math.max(before, offset + data.length));
    }
    return lengths;
  }

  #after({ ofSector, isTruncated, octets }: Limits): Buffer {
    const result = Buffer.alloc(octets);
    this.#durable.copy(result, 0, 0, Math.min(octets, this.#octets));
    for (const [index, { offset, data }] of this.#pending.entries()) {
      if (data === undefined && isTruncated(index)) result.fill(0, Math.min(offset, octets));
      if (data === undefined) continue;
      const end = Math.min(octets, offset + data.length);
      for (let from = offset; from < end;) {
        const sector = Math.floor(from / SECTOR_OCTETS);
        const to = Math.min(end, (sector + 1) * SECTOR_OCTETS);
        if (index < ofSector(sector)) data.copy(result, from, from - offset, to - offset);
        from = to;
      }
    }
    return result;
  }

  #reckon({ ofSector, octets }: Limits, damage: Damage): void {
    let missing = false;
    let overtaken = false;
    for (const [index, { offset, data }] of this.#pending.entries()) {
      if (data === undefined || data.length === 0) continue;
      const first = Math.floor(offset / SECTOR_OCTETS);
      const last = Math.floor((offset + data.length - 1) / SECTOR_OCTETS);
      let there = 0;
      for (let sector = first; sector <= last; sector += 1)
        if (index < ofSector(sector) && sector * SECTOR_OCTETS < octets) there += 1;
      if (there > 0 && missing) overtaken = true;
      if (there === 0) damage.dropped += 1;
      else if (there <= last - first) damage.torn += 1;
      if (there <= last - first) missing = true;
    }
    if (overtaken) damage.reordered += 1;
  }
}

/** A length that the file had, or one at a sector's end in between. What a truncation took away does not come back. */
function anyLength(lengths: readonly number[], random: Random): number {
  const last = lengths.findLastIndex((octets, index) => octets < (lengths[index - 1] ?? 0));
  const possible = lengths.slice(Math.max(0, last));
  const [low = 0, high = 0] = [random.pick(possible), random.pick(possible)].toSorted((one, other) => one - other);
  if (random.fraction() < 0.7) return random.pick([low, high]);
  return Math.max(low, Math.floor(random.between(low, high) / SECTOR_OCTETS) * SECTOR_OCTETS);
}

// Most often all or none: then whole writes overtake each other, not only sectors.
function anyLimit(count: number, random: Random): number {
  const chance = random.fraction();
  if (chance < 0.35) return 0;
  return chance < 0.7 ? count : random.between(0, count);
}
