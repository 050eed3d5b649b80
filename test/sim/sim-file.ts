import type { Random } from "../e2e/harness/random.ts";
import { Image } from "./image.ts";

/** What a disk writes whole or not at all. */
const SECTOR_OCTETS = 512;

const PAGE_OCTETS = 4096;

/** What happened to a file since its last sync. */
type Change = { readonly at: number; readonly octets: Uint8Array } | { readonly size: number };

/** Whether all, none or a share of what was not synced is on the disk. */
export type Kept = "all" | "none" | { readonly share: number };

/** A file as the kernel shows it, and as it is on the disk. */
export class SimFile {
  #cache = new Image();
  readonly #disk = new Image();
  #changes: Change[] = [];
  /** Names in folders, as the kernel shows them. */
  names = 0;
  descriptors = 0;

  get size(): number {
    return this.#cache.size;
  }

  read(at: number, target: Uint8Array): number {
    return this.#cache.read(at, target);
  }

  content(): Uint8Array {
    return this.#cache.view().slice();
  }

  write(at: number, octets: Uint8Array): void {
    if (octets.byteLength === 0) return;
    this.#cache.write(at, octets);
    this.#changes.push({ at, octets: octets.slice() });
  }

  truncate(size: number): void {
    this.#cache.resize(size);
    this.#changes.push({ size });
  }

  sync(): void {
    for (const change of this.#changes) apply(this.#disk, change);
    this.#changes = [];
  }

  /**
   * The kernel could not write all, and takes what it could not write for written from now on: it is shown until the power
   * goes, and no later sync brings it to the disk. Only the size is still to be written.
   */
  failSync(share: number, random: Random): void {
    const { size } = this.#cache;
    keepPart(this.#disk, this.#changes, { share }, random);
    this.#changes = this.#disk.size === size ? [] : [{ size }];
  }

  /** The power went: what is on the disk is what there is. */
  lose(kept: Kept, random: Random): void {
    if (kept === "all") this.sync();
    else if (kept !== "none") keepPart(this.#disk, this.#changes, kept, random);
    this.#changes = [];
    this.#cache = this.#disk.copy();
  }

  /** Turns a bit over, on the disk and in the cache, as rot does. */
  flip(at: number, bit: number): void {
    for (const image of [this.#cache, this.#disk]) {
      const [octet] = image.view(at, at + 1);
      if (octet !== undefined) image.write(at, Uint8Array.of(octet ^ (1 << bit)));
    }
  }
}

function apply(image: Image, change: Change): void {
  if ("size" in change) image.resize(change.size);
  else image.write(change.at, change.octets);
}

/**
 * Each sector is as it was on the disk or as some of the changes left it in the cache, one after the other: a kernel
 * writes its pages when it likes, but always as they are at that moment. The size is one that the file had, whatever of
 * its sectors is there; what they would hold is zeros, or what lay there before.
 */
function keepPart(disk: Image, changes: readonly Change[], { share }: { share: number }, random: Random): void {
  const before = disk.size;
  const sizes = [before];
  const touched = new Map<number, number>();
  let size = before;
  for (const change of changes) {
    for (const sector of sectorsOf(change, size)) touched.set(sector, (touched.get(sector) ?? 0) + 1);
    // A kernel takes a long write by pages, and each of them makes the file longer.
    const written = "octets" in change ? endOf(change, size) : size;
    for (let page = nextPage(size); page < written; page = nextPage(page)) sizes.push(page);
    size = endOf(change, size);
    sizes.push(size);
  }
  const left = new Map<number, number>();
  for (const [sector, times] of touched) {
    left.set(sector, random.fraction() < share ? random.between(1, times) : 0);
  }
  const missing = [...left].filter(([, times]) => times === 0).map(([sector]) => sector);
  const ends = random.fraction() < share ? size : random.pick(sizes);
  size = before;
  for (const change of changes) {
    for (const sector of sectorsOf(change, size)) {
      const times = left.get(sector) ?? 0;
      left.set(sector, times - 1);
      if (times > 0) applyWithin(disk, change, sector * SECTOR_OCTETS);
    }
    size = endOf(change, size);
  }
  disk.resize(ends);
  if (random.fraction() < 0.5) fillWithGarbage(disk, missing, before, random);
}

/** How long a file of this size is after a change. */
function endOf(change: Change, size: number): number {
  return "size" in change ? change.size : Math.max(size, change.at + change.octets.byteLength);
}

function nextPage(size: number): number {
  return (Math.floor(size / PAGE_OCTETS) + 1) * PAGE_OCTETS;
}

function* sectorsOf(change: Change, size: number): Generator<number> {
  // A file that is cut forgets its octets behind the cut; one that grows by itself has none there.
  const from = "size" in change ? change.size : change.at;
  const to = "size" in change ? size : change.at + change.octets.byteLength;
  for (let sector = Math.floor(from / SECTOR_OCTETS); sector * SECTOR_OCTETS < to; sector += 1) yield sector;
}

function applyWithin(disk: Image, change: Change, start: number): void {
  const end = start + SECTOR_OCTETS;
  if ("size" in change) {
    const from = Math.max(start, change.size);
    if (from < disk.size) disk.write(from, new Uint8Array(Math.min(end, disk.size) - from));
    return;
  }
  const from = Math.max(start, change.at);
  const to = Math.min(end, change.at + change.octets.byteLength);
  disk.write(from, change.octets.subarray(from - change.at, to - change.at));
}

function fillWithGarbage(disk: Image, sectors: readonly number[], before: number, random: Random): void {
  for (const sector of sectors) {
    const from = Math.max(before, sector * SECTOR_OCTETS);
    const to = Math.min(disk.size, (sector + 1) * SECTOR_OCTETS);
    if (from < to)
      disk.write(
        from,
        Uint8Array.from({ length: to - from }, () => random.between(0, 255)),
      );
  }
}
