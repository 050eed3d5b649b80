import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync, openSync, writeSync, closeSync } from "node:fs";
import path from "node:path";
import { mustRun } from "./process.ts";
import { scratch } from "./scratch.ts";

/** A small file system of its own, mounted from a file. */
export class Disk {
  readonly folder: string;
  readonly #image: string;
  #mounted = false;

  private constructor(image: string, folder: string) {
    this.#image = image;
    this.folder = folder;
  }

  /** Makes and mounts one of this many MiB; needs the rights to mount. */
  static async make(stack: AsyncDisposableStack, mib: number): Promise<Disk> {
    const place = scratch(stack);
    const disk = new Disk(path.join(place, "image"), path.join(place, "disk"));
    writeFileSync(disk.#image, "");
    truncateSync(disk.#image, mib * 1024 * 1024);
    mkdirSync(disk.folder);
    await mustRun("mkfs.ext4", ["-q", "-F", disk.#image]);
    await disk.mount();
    stack.defer(() => disk.unmount());
    return disk;
  }

  async mount(option?: string): Promise<void> {
    const options = ["loop", ...(option === undefined ? [] : [option])].join(",");
    await mustRun("mount", ["-o", options, this.#image, this.folder]);
    this.#mounted = true;
  }

  async unmount(): Promise<void> {
    if (!this.#mounted) return;
    await mustRun("umount", [this.folder]);
    this.#mounted = false;
  }

  /** Makes it read-only under whoever uses it, as the kernel does after a write error. */
  async turnReadOnly(): Promise<void> {
    await mustRun("mount", ["-o", "remount,abort", this.folder]);
  }

  /** Repairs it after that; it must not be mounted. */
  async repair(): Promise<void> {
    // 1: errors were corrected.
    await mustRun("sh", ["-c", `e2fsck -fy "${this.#image}" >&2 || [ $? = 1 ]`]);
  }

  /** Fills it to the last block. */
  fill(): void {
    const piece = Buffer.alloc(64 * 1024, 0x78);
    const file = openSync(this.#filler, "a");
    try {
      for (let octets = piece.length; octets >= 1;) {
        try {
          writeSync(file, piece, 0, octets);
        } catch (cause) {
          if (!isFull(cause)) throw cause;
          octets = Math.floor(octets / 2);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** Gives the filled space back. */
  free(): void {
    rmSync(this.#filler);
  }

  get freeBlocks(): number {
    return statfsSync(this.folder).bavail;
  }

  get #filler(): string {
    return path.join(this.folder, "filler");
  }
}

function isFull(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
}
