import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import path from "node:path";
import { Disk } from "../e2e/harness/disk.ts";
import { mustRun } from "../e2e/harness/process.ts";
import { scratch } from "../e2e/harness/scratch.ts";

/** A small file system of its own that can be filled to its last octet. */
export type SmallDisk = {
  /** What it is, in words. */
  readonly kind: string;
  readonly folder: string;
};

/** Ways to have one; "memory" loses what is in it when it is unmounted, which nothing here does. */
export const kinds = ["loop", "memory"] as const;

/**
 * Makes one of so many MiB: ext4 in a file mounted by loop, or where this machine lets nobody do that, a file system in
 * memory. Both need the rights to mount.
 */
export async function makeSmallDisk(
  stack: AsyncDisposableStack,
  mib: number,
  wanted: readonly string[] = kinds,
): Promise<SmallDisk> {
  const failures: unknown[] = [];
  for (const kind of wanted) {
    try {
      return await (kind === "loop" ? onLoop(stack, mib) : inMemory(stack, mib));
    } catch (cause) {
      failures.push(cause);
    }
  }
  throw new AggregateError(failures, `no small file system could be mounted: tried ${wanted.join(", ")}`);
}

async function onLoop(stack: AsyncDisposableStack, mib: number): Promise<SmallDisk> {
  const disk = await Disk.make(stack, mib);
  return { kind: `ext4 of ${mib} MiB, mounted by loop`, folder: disk.folder };
}

async function inMemory(stack: AsyncDisposableStack, mib: number): Promise<SmallDisk> {
  const folder = path.join(scratch(stack), "disk");
  mkdirSync(folder);
  await mustRun("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "mailkeep-full", folder]);
  stack.defer(async () => void (await mustRun("umount", [folder])));
  return { kind: `tmpfs of ${mib} MiB`, folder };
}

const PIECE = Buffer.alloc(64 * 1024, 0x78);

/** A file beside the mail that takes what room there is. */
export class Filler {
  readonly #disk: SmallDisk;

  constructor(disk: SmallDisk) {
    this.#disk = disk;
  }

  /** Takes all that is free now but so many octets, to the last one that the disk gives; says how many it took. */
  fill(leave = 0): number {
    const file = openSync(this.#file, "a");
    let taken = 0;
    try {
      for (let octets = PIECE.length; octets >= 1;) {
        if (leave > 0 && this.freeOctets <= leave) break;
        try {
          taken += writeSync(file, PIECE, 0, octets);
        } catch (cause) {
          if (!(cause instanceof Error && "code" in cause && cause.code === "ENOSPC")) throw cause;
          octets = Math.floor(octets / 2);
        }
      }
    } finally {
      closeSync(file);
    }
    return taken;
  }

  /** Gives everything back. */
  free(): void {
    rmSync(this.#file);
    assert.ok(this.freeOctets > 0, "there is room again");
  }

  get freeOctets(): number {
    const { bfree, bsize } = statfsSync(this.#disk.folder);
    return bfree * bsize;
  }

  get #file(): string {
    return path.join(this.#disk.folder, "filler");
  }
}
