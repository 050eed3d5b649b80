import { createHash, randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import { assert } from "../../lib/assert.ts";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import type { Digests, ReadyBody } from "../../model/body.ts";
import type { Disk } from "../disk.ts";
import { DiskError } from "../disk.ts";
import type { Layout } from "../layout.ts";
import { spoolPath } from "../layout.ts";
import type { Spool } from "../ports.ts";
import { SPOOL_HEAD_OCTETS, StoreError } from "../ports.ts";
import { LineStartDots } from "./line-start-dots.ts";

const PIECE_OCTETS = 256 * 1024;

/** Opens a spool file on the caller's own thread. */
export async function openSpool(disk: Disk, layout: Layout): Promise<Spool> {
  const name = randomUUID();
  try {
    return new SpoolFile(disk, layout, name, disk.openSync(spoolPath(layout, name), "create"));
  } catch (cause) {
    throw spoolError(cause);
  }
}

class SpoolFile implements Spool {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #name: string;
  readonly #file: number;
  /** Work goes one after the other; a failure stays. */
  #work: Promise<unknown> = Promise.resolve();
  #octets = 0;
  #crc = 0;
  #open = true;

  constructor(disk: Disk, layout: Layout, name: string, file: number) {
    this.#disk = disk;
    this.#path = spoolPath(layout, name);
    this.#name = name;
    this.#file = file;
  }

  get octets(): number {
    return this.#octets;
  }

  write(piece: Uint8Array): Promise<void> {
    const at = SPOOL_HEAD_OCTETS + this.#octets;
    this.#octets += piece.byteLength;
    this.#crc = crc32(piece, this.#crc);
    return this.#next(() => this.#disk.write(this.#file, piece, at));
  }

  finish(head: Uint8Array): Promise<ReadyBody> {
    const start = SPOOL_HEAD_OCTETS - head.byteLength;
    assert(start >= BODY_HEAD_OCTETS, "the trace headers fit in front of a spooled body");
    return this.#next(async () => {
      await this.#disk.write(this.#file, head, start);
      const digests = await this.#digest(start);
      await this.#disk.fdatasync(this.#file);
      this.#close();
      return { ...digests, kind: "file", spool: this.#name, start };
    });
  }

  async discard(): Promise<void> {
    await this.#work.catch(() => undefined);
    try {
      this.#close();
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
    }
    // What cannot be removed now is swept at the next start.
    await this.#disk.unlink(this.#path).catch(() => undefined);
  }

  /** Reads what was written, for the digests and to see that it is what came in. */
  async #digest(start: number): Promise<Digests> {
    const octets = SPOOL_HEAD_OCTETS + this.#octets - start;
    const sha256 = createHash("sha256");
    const dots = new LineStartDots();
    const buffer = new Uint8Array(PIECE_OCTETS);
    let crc = 0;
    let contentCrc = 0;
    for (let at = 0; at < octets;) {
      const read = await this.#disk.read(this.#file, buffer.subarray(0, octets - at), start + at);
      if (read === 0) throw new DiskError("failed", "the spool file is shorter than what was written");
      const piece = buffer.subarray(0, read);
      sha256.update(piece);
      crc = crc32(piece, crc);
      dots.push(piece);
      const content = piece.subarray(Math.max(0, SPOOL_HEAD_OCTETS - start - at));
      contentCrc = crc32(content, contentCrc);
      at += read;
    }
    if (contentCrc !== this.#crc) throw new DiskError("failed", "the spool file is not what was written");
    return { octets, crc32: crc, sha256: sha256.digest(), dotted: dots.found };
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work).catch((cause: unknown) => {
      throw spoolError(cause);
    });
    this.#work = result;
    return result;
  }

  #close(): void {
    if (!this.#open) return;
    // Also where closing fails the descriptor is gone, and may be another file's soon.
    this.#open = false;
    this.#disk.closeSync(this.#file);
  }
}

function spoolError(cause: unknown): unknown {
  if (!(cause instanceof DiskError)) return cause;
  return new StoreError("unavailable", cause.message, { cause, full: cause.kind === "full" });
}
