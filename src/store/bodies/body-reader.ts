import { LRUCache } from "lru-cache";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import type { SegmentId } from "../../model/ids.ts";
import type { Disk } from "../disk.ts";
import { DiskError } from "../disk.ts";
import type { Layout } from "../layout.ts";
import { bodyPath, segmentPath } from "../layout.ts";
import type { BodyFile, BodyPlace } from "../ports.ts";
import { StoreError } from "../ports.ts";
import { isBodyHead } from "./body-head.ts";

const MOST_OPEN = 256;
const HEAD = -BODY_HEAD_OCTETS;

/** An open segment: closed when the cache has let go of it and the last reader is done. */
type Shared = { readonly file: number; readers: number; cached: boolean };

/** Opens bodies for one thread; descriptors of segments stay open between reads. */
export class BodyReader implements Disposable {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #segments = new LRUCache<SegmentId, Shared>({
    max: MOST_OPEN,
    dispose: (shared) => {
      shared.cached = false;
      this.#closeUnused(shared);
    },
  });

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  /** See Bodies.open. */
  open(place: BodyPlace): BodyFile | undefined {
    const opened = place.segment === null ? this.#openOwn(place) : this.#openSegment(place.segment);
    if (opened === undefined) return undefined;
    return new OpenBody(this.#disk, opened.file, place, opened.close);
  }

  /** Segments that were removed: their octets leave the disk when the last descriptor is closed. */
  forget(segments: readonly SegmentId[]): void {
    for (const segment of segments) this.#segments.delete(segment);
  }

  [Symbol.dispose](): void {
    this.#segments.clear();
  }

  #openOwn(place: BodyPlace): { file: number; close: () => void } | undefined {
    const file = this.#tryOpen(bodyPath(this.#layout, place.body).file);
    return file === undefined ? undefined : { file, close: () => this.#close(file) };
  }

  #openSegment(segment: SegmentId): { file: number; close: () => void } | undefined {
    const shared = this.#segments.get(segment) ?? this.#openShared(segment);
    if (shared === undefined) return undefined;
    shared.readers += 1;
    return {
      file: shared.file,
      close: () => {
        shared.readers -= 1;
        this.#closeUnused(shared);
      },
    };
  }

  #openShared(segment: SegmentId): Shared | undefined {
    const file = this.#tryOpen(segmentPath(this.#layout, segment));
    if (file === undefined) return undefined;
    const shared = { file, readers: 0, cached: true };
    this.#segments.set(segment, shared);
    return shared;
  }

  #closeUnused(shared: Shared): void {
    if (!shared.cached && shared.readers === 0) this.#close(shared.file);
  }

  /** Nothing was written by it, and the descriptor is gone whatever the disk says of its end. */
  #close(file: number): void {
    try {
      this.#disk.closeSync(file);
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
    }
  }

  #tryOpen(path: string): number | undefined {
    try {
      return this.#disk.openSync(path, "read");
    } catch (cause) {
      if (cause instanceof DiskError && cause.kind === "missing") return undefined;
      throw unreadable(cause);
    }
  }
}

class OpenBody implements BodyFile {
  readonly #disk: Disk;
  readonly #file: number;
  readonly #place: BodyPlace;
  #close: (() => void) | undefined;
  #reading = 0;
  #closing = false;

  constructor(disk: Disk, file: number, place: BodyPlace, close: () => void) {
    this.#disk = disk;
    this.#file = file;
    this.#place = place;
    this.#close = close;
  }

  readSync(target: Uint8Array, position: number): number {
    const wanted = this.#within(target, position);
    if (wanted.byteLength === 0) return 0;
    try {
      const read = this.#disk.readSync(this.#file, wanted, this.#place.offset + position);
      if (position === HEAD) this.#checkHead(wanted, read);
      return read;
    } catch (cause) {
      throw unreadable(cause);
    }
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const wanted = this.#within(target, position);
    if (wanted.byteLength === 0) return 0;
    this.#reading += 1;
    try {
      const read = await this.#disk.read(this.#file, wanted, this.#place.offset + position);
      if (position === HEAD) this.#checkHead(wanted, read);
      return read;
    } catch (cause) {
      throw unreadable(cause);
    } finally {
      this.#reading -= 1;
      this.#closeWhenDone();
    }
  }

  close(): void {
    this.#closing = true;
    this.#closeWhenDone();
  }

  #checkHead(octets: Uint8Array, read: number): void {
    const { body } = this.#place;
    if (read >= BODY_HEAD_OCTETS && isBodyHead(octets, this.#place)) return;
    throw new StoreError("damaged", `the head of body ${body} is not what was written`);
  }

  // A descriptor that is closed under a read in progress may be another file's before the read happens.
  #closeWhenDone(): void {
    if (!this.#closing || this.#reading > 0) return;
    this.#close?.();
    this.#close = undefined;
  }

  /** The part of the target that the body's octets from there on can fill. */
  #within(target: Uint8Array, position: number): Uint8Array {
    const left = Math.max(0, this.#place.octets - position);
    return target.byteLength <= left ? target : target.subarray(0, left);
  }
}

function unreadable(cause: unknown): unknown {
  return cause instanceof DiskError ? new StoreError("unavailable", cause.message, { cause }) : cause;
}
