import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import { BODY_HEAD_OCTETS } from "../model/body.ts";
import type { SegmentId } from "../model/ids.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { readBodyHead } from "./bodies/body-head.ts";
import type { Extent, SegmentWriter } from "./bodies/segments.ts";
import type { Disk } from "./disk.ts";
import { DiskError } from "./disk.ts";
import type { Layout } from "./layout.ts";
import { segmentPath } from "./layout.ts";
import type { Reclaimed } from "./ports.ts";
import { StoreError } from "./ports.ts";
import { anyBodyIn, bodiesInSegment, hasItsSum, moveBody } from "./sql/bodies.ts";
import type { SegmentRow } from "./sql/segments.ts";
import { deleteSegment, growSegment, listSegments, sealSegment, shrinkSegment } from "./sql/segments.ts";
import type { WriteSql } from "./sql/statement.ts";
import { transaction } from "./sql/statement.ts";

/** Tells who reads that these segments are gone. */
export type AnnounceSegments = (segments: readonly SegmentId[]) => void;

type Parts = {
  readonly sql: WriteSql;
  readonly disk: Disk;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly announce: AnnounceSegments;
  /** Takes new mail. */
  readonly segments: SegmentWriter;
  /** Takes what lives on in segments that go: apart from new mail, or space would never come back (PERFORMANCE §13 Q1d). */
  readonly survivors: SegmentWriter;
};

type Bodies = Awaited<ReturnType<typeof bodiesInSegment>>;

/** Octets that were copied out of a segment; `whole`: with all that was left, and the segment is gone. */
type Moved = { readonly octets: number; readonly whole: boolean };

// Below this share of live octets a segment is copied out.
const LEAST_LIVE = 0.3;
const MOST_EMPTY_AT_ONCE = 64;
// So much of a segment is copied in one turn: a delivery waits for some tens of ms, also where mail is short.
const MOST_BODIES = 1000;
const MOST_OCTETS = 2 * 1024 * 1024;

/** Gives the space of dead octets back, one slice a call; runs in the writer's thread between groups. */
export class Reclaimer implements Disposable {
  readonly #parts: Parts;
  /** Segments whose octets could not be copied; left alone until the next start. */
  readonly #damaged = new Set<SegmentId>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** See Upkeep.reclaim. */
  async run(eraseBefore: number): Promise<Reclaimed> {
    const rows = await listSegments(this.#parts.sql);
    const empty = await this.#empty(rows);
    if (empty.length > 0) return this.#drop(empty);
    const sealed = await this.#sealOld(rows, eraseBefore);
    const [worst, ...others] = rows
      .filter((row) => row.sealed === 1 && !this.#damaged.has(row.id) && isWorth(row, eraseBefore))
      .toSorted((one, other) => one.live - other.live);
    if (worst === undefined) return { segmentsRemoved: 0, octetsMoved: 0, more: sealed };
    const moved = await this.#copyOut(worst);
    const more = sealed || others.length > 0 || moved?.whole === false;
    return this.#done(moved?.whole ? 1 : 0, moved?.octets ?? 0, more);
  }

  [Symbol.dispose](): void {
    this.#parts.survivors[Symbol.dispose]();
  }

  /** What nothing lives in, by its own figure and by the bodies' rows: a figure that rotted is not believed alone. */
  async #empty(rows: readonly SegmentRow[]): Promise<readonly SegmentRow[]> {
    const empty: SegmentRow[] = [];
    for (const row of rows) {
      if (empty.length === MOST_EMPTY_AT_ONCE) break;
      if (row.sealed === 0 || row.live !== 0 || this.#damaged.has(row.id)) continue;
      if (await anyBodyIn(this.#parts.sql, row.id)) this.#leave(row.id, "bodies lie in it that it does not count");
      else empty.push(row);
    }
    return empty;
  }

  async #drop(empty: readonly SegmentRow[]): Promise<Reclaimed> {
    const { sql } = this.#parts;
    await transaction(sql, async () => {
      for (const { id } of empty) await deleteSegment(sql, id);
    });
    this.#unlink(empty.map(({ id }) => id));
    return this.#done(empty.length, 0, true);
  }

  /** Ends segments that still take appends but hold octets that should be gone. */
  async #sealOld(rows: readonly SegmentRow[], eraseBefore: number): Promise<boolean> {
    let sealed = false;
    for (const writer of [this.#parts.segments, this.#parts.survivors]) {
      const row = rows.find(({ id }) => id === writer.tail?.id);
      if (row !== undefined && isOld(row, eraseBefore)) writer.retire();
      const { seals } = writer;
      if (seals.length === 0) continue;
      await transaction(this.#parts.sql, () => this.#noteSeals(seals));
      writer.sealed(seals);
      sealed = true;
    }
    return sealed;
  }

  async #noteSeals(seals: SegmentWriter["seals"]): Promise<void> {
    const { sql, clock } = this.#parts;
    for (const [segment, total] of seals) await sealSegment(sql, segment, total, clock.now());
  }

  /** Copies a slice of what lives in a segment, and removes it after the last; undefined: it cannot be read. */
  async #copyOut({ id: segment, live }: SegmentRow): Promise<Moved | undefined> {
    const { sql, survivors } = this.#parts;
    const found = await bodiesInSegment(sql, segment, MOST_BODIES);
    const bodies = sliceOf(found);
    const whole = bodies.length === found.length && found.length < MOST_BODIES;
    // What lives here and is not among them would go with the segment.
    if (!bodies.every(hasItsSum) || (whole && octetsOf(bodies) !== live))
      return this.#leave(segment, "the rows of its bodies do not have the octets that it counts");
    const pieces = this.#read(segment, bodies);
    if (pieces === undefined) return undefined;
    const written = await survivors.append(pieces);
    if (!written.ok) {
      throw new StoreError("unavailable", written.error.reason, { full: written.error.failure === "full" });
    }
    const octets = octetsOf(bodies);
    await this.#moveRows(bodies, written.value, () =>
      whole ? deleteSegment(sql, segment) : shrinkSegment(sql, segment, octets, this.#parts.clock.now()),
    );
    if (whole) this.#unlink([segment]);
    return { octets, whole };
  }

  async #moveRows(bodies: Bodies, extents: readonly Extent[], rest: () => Promise<void>): Promise<void> {
    const { sql, survivors } = this.#parts;
    const { seals } = survivors;
    const live = new Map<SegmentId, number>();
    try {
      await transaction(sql, async () => {
        for (const [index, body] of bodies.entries()) {
          const extent = extents[index];
          assert(extent !== undefined, "each body has its new place");
          await moveBody(sql, body, extent.segment, extent.offset + BODY_HEAD_OCTETS);
          live.set(extent.segment, (live.get(extent.segment) ?? 0) + body.octets + BODY_HEAD_OCTETS);
        }
        for (const [to, octets] of live) await growSegment(sql, to, octets, survivors.endOf(to) ?? octets);
        await this.#noteSeals(seals);
        await rest();
      });
      survivors.sealed(seals);
    } catch (cause) {
      // As for a group: nothing more goes where the outcome is in doubt.
      survivors.retire();
      throw cause;
    }
  }

  /** The live bodies with their heads; octets go on as they are, for RETR to judge, but must be there. */
  #read(segment: SegmentId, bodies: Bodies): readonly Uint8Array[] | undefined {
    const { disk, layout } = this.#parts;
    try {
      const file = disk.openSync(segmentPath(layout, segment), "read");
      try {
        return bodies.map(({ id, offset, octets }) => {
          const piece = new Uint8Array(BODY_HEAD_OCTETS + octets);
          const read = disk.readSync(file, piece, offset - BODY_HEAD_OCTETS);
          const whole = read === piece.byteLength && readBodyHead(piece)?.body === id;
          if (!whole) throw new DiskError("failed", `body ${id} is not where its row says`);
          return piece;
        });
      } finally {
        disk.closeSync(file);
      }
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
      return this.#leave(segment, cause.message);
    }
  }

  /** Leaves a segment alone until the next start: mail that can still be read is not risked for space. */
  #leave(segment: SegmentId, why: string): undefined {
    this.#damaged.add(segment);
    this.#parts.log.error("job.failed", { job: "reclaim", reason: `segment ${segment}: ${why}` });
  }

  #unlink(segments: readonly SegmentId[]): void {
    const { disk, layout, announce } = this.#parts;
    try {
      for (const segment of segments) disk.unlinkSync(segmentPath(layout, segment));
    } catch (cause) {
      // The next start sweeps what has no row.
      if (!(cause instanceof DiskError)) throw cause;
    }
    announce(segments);
  }

  #done(segmentsRemoved: number, octetsMoved: number, more: boolean): Reclaimed {
    const { log, metrics } = this.#parts;
    metrics.counter("mailkeep_store_segments_removed_total").add(segmentsRemoved);
    metrics.counter("mailkeep_store_moved_octets_total").add(octetsMoved);
    if (segmentsRemoved > 0) log.debug("store.reclaimed", { segments: segmentsRemoved, moved: octetsMoved });
    return { segmentsRemoved, octetsMoved, more };
  }
}

function octetsOf(bodies: Bodies): number {
  return bodies.reduce((sum, { octets }) => sum + octets + BODY_HEAD_OCTETS, 0);
}

/** The first of them that are few enough octets together, one at least. */
function sliceOf(bodies: Bodies): Bodies {
  let octets = 0;
  const end = bodies.findIndex((body, index) => {
    octets += body.octets + BODY_HEAD_OCTETS;
    return index > 0 && octets > MOST_OCTETS;
  });
  return end < 0 ? bodies : bodies.slice(0, end);
}

function isWorth(row: SegmentRow, eraseBefore: number): boolean {
  return row.live < row.total * LEAST_LIVE || isOld(row, eraseBefore);
}

function isOld(row: SegmentRow, eraseBefore: number): boolean {
  return row.dead_since !== null && row.dead_since <= eraseBefore;
}
