import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { SegmentId } from "../../model/ids.ts";
import type { Disk } from "../disk.ts";
import { DiskError } from "../disk.ts";
import type { Layout } from "../layout.ts";
import { segmentPath } from "../layout.ts";
import type { WriteFailure } from "../ports.ts";
import { StoreError } from "../ports.ts";

/** A segment takes no more bodies at this size. */
export const SEGMENT_OCTETS = 16 * 1024 * 1024;

/** Where a piece was written. */
export type Extent = { readonly segment: SegmentId; readonly offset: number };

/** Why pieces were not written. `synced: false`: a sync failed, and what else was written then is in doubt too. */
export type SegmentFailure = { readonly failure: WriteFailure; readonly synced: boolean; readonly reason: string };

type Tail = { readonly id: SegmentId; readonly file: number; end: number };

/**
 * Appends to segments, one after the other. A segment is registered, created, synced and its folder synced before a row
 * may name it, one ahead of need. Octets are never written twice to the same place: whether a transaction whose commit
 * failed is really gone is known only after a restart.
 */
export class SegmentWriter implements Disposable {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #register: () => Promise<SegmentId>;
  readonly #seals = new Map<SegmentId, number>();
  #tail: Tail | undefined;
  #next: Tail | undefined;
  /** Full ones, to be closed once what was written to them is synced. */
  readonly #left: Tail[] = [];
  /** A registered segment whose file could not be made. */
  #spare: SegmentId | undefined;

  constructor(disk: Disk, layout: Layout, register: () => Promise<SegmentId>) {
    this.#disk = disk;
    this.#layout = layout;
    this.#register = register;
  }

  /** Writes and syncs these pieces; all or none of them count. */
  async append(pieces: readonly Uint8Array[]): Promise<Result<readonly Extent[], SegmentFailure>> {
    const touched = new Map<Tail, number>();
    const extents: Extent[] = [];
    try {
      while (extents.length < pieces.length) {
        const rest = pieces.slice(extents.length);
        const tail = await this.#tailFor(rest[0]?.byteLength ?? 0);
        if (!touched.has(tail)) touched.set(tail, tail.end);
        const batch = fitting(rest, SEGMENT_OCTETS - tail.end);
        this.#disk.writevSync(tail.file, batch, tail.end);
        for (const piece of batch) {
          extents.push({ segment: tail.id, offset: tail.end });
          tail.end += piece.byteLength;
        }
      }
    } catch (cause) {
      return err(this.#takeBack(touched, cause));
    }
    return this.#sync(touched, extents);
  }

  /** Makes sure that there is a segment to write to. */
  async open(): Promise<Result<void, SegmentFailure>> {
    try {
      await this.#tailFor(0);
      return ok(undefined);
    } catch (cause) {
      return err(failureOf(cause));
    }
  }

  /** Writes so many octets and takes them back, to see whether there is room again. */
  async probe(octets: number): Promise<Result<void, SegmentFailure>> {
    const written = await this.append([new Uint8Array(octets)]);
    if (!written.ok) return written;
    const [{ offset } = { offset: 0 }] = written.value;
    if (this.#tail !== undefined) {
      this.#disk.ftruncateSync(this.#tail.file, offset);
      this.#tail.end = offset;
    }
    return ok(undefined);
  }

  /** Makes the next segment before it is needed, so that no delivery waits for it. */
  async prepare(): Promise<void> {
    if (this.#next !== undefined || this.#tail === undefined || this.#tail.end < SEGMENT_OCTETS / 2) return;
    try {
      this.#next = await this.#create();
    } catch (cause) {
      // It is tried again when it is needed, and then it counts; but a failed sync has been told (sync-watch.ts).
      failureOf(cause);
    }
  }

  /** Ends the current segment; what is appended next goes to a new one. */
  retire(): void {
    for (const tail of [...this.#left.splice(0), this.#tail, this.#next]) if (tail !== undefined) this.#close(tail);
    this.#tail = undefined;
    this.#next = undefined;
  }

  /** The segment that is being written to, and how far. */
  get tail(): { readonly id: SegmentId; readonly end: number } | undefined {
    return this.#tail;
  }

  /** How far a segment reaches that takes or took appends since the last note. */
  endOf(segment: SegmentId): number | undefined {
    return this.#tail?.id === segment ? this.#tail.end : this.#seals.get(segment);
  }

  /** Segments that take no more appends, with their octets, until their rows say so. */
  get seals(): readonly (readonly [SegmentId, number])[] {
    return [...this.#seals];
  }

  /** The rows say so now. */
  sealed(noted: readonly (readonly [SegmentId, number])[]): void {
    for (const [segment] of noted) this.#seals.delete(segment);
  }

  [Symbol.dispose](): void {
    this.retire();
  }

  async #tailFor(octets: number): Promise<Tail> {
    if (this.#tail !== undefined && this.#tail.end + octets <= SEGMENT_OCTETS) return this.#tail;
    const next = this.#next ?? (await this.#create());
    if (this.#tail !== undefined) this.#left.push(this.#tail);
    this.#tail = next;
    this.#next = undefined;
    return next;
  }

  async #create(): Promise<Tail> {
    const id = this.#spare ?? (await this.#register());
    this.#spare = id;
    const file = this.#disk.openSync(segmentPath(this.#layout, id), "create");
    const tail = { id, file, end: 0 };
    this.#spare = undefined;
    try {
      this.#disk.fdatasyncSync(file);
      this.#disk.fsyncFolderSync(this.#layout.segments);
      return tail;
    } catch (cause) {
      this.#close(tail);
      throw cause;
    }
  }

  #sync(touched: ReadonlyMap<Tail, number>, extents: readonly Extent[]): Result<readonly Extent[], SegmentFailure> {
    try {
      for (const tail of touched.keys()) this.#disk.fdatasyncSync(tail.file);
      for (const tail of this.#left.splice(0)) this.#close(tail);
      return ok(extents);
    } catch (cause) {
      // What the kernel could not write it may have forgotten: nothing more goes into these files.
      this.retire();
      return err(failureOf(cause));
    }
  }

  /** Undoes the appends that did not come to a sync. */
  #takeBack(touched: ReadonlyMap<Tail, number>, cause: unknown): SegmentFailure {
    const failure = failureOf(cause);
    const start = this.#tail && touched.get(this.#tail);
    for (const tail of this.#left.splice(0)) this.#close(tail);
    if (failure.failure === "full" && this.#tail !== undefined && start !== undefined) {
      try {
        this.#disk.ftruncateSync(this.#tail.file, start);
        this.#tail.end = start;
        return failure;
      } catch (second) {
        failureOf(second);
      }
    }
    if (start !== undefined || failure.failure === "failed") this.retire();
    return failure;
  }

  #close(tail: Tail): void {
    const { id, file, end } = tail;
    try {
      this.#seals.set(id, this.#disk.octetsSync(segmentPath(this.#layout, id)) ?? end);
      this.#disk.closeSync(file);
    } catch (cause) {
      this.#seals.set(id, end);
      failureOf(cause);
    }
  }
}

function fitting(pieces: readonly Uint8Array[], room: number): readonly Uint8Array[] {
  let left = room;
  let count = 0;
  for (const piece of pieces) {
    left -= piece.byteLength;
    if (left < 0 && count > 0) break;
    count += 1;
  }
  return pieces.slice(0, count);
}

/** What an error of the disk or the database means; any other is a mistake of ours. */
function failureOf(cause: unknown): SegmentFailure {
  if (!(cause instanceof DiskError || cause instanceof StoreError)) throw cause;
  const full = cause instanceof DiskError ? cause.kind === "full" : cause.full;
  return { failure: full ? "full" : "failed", synced: !cause.sync, reason: cause.message };
}
