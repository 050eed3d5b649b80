import { assert } from "../../lib/assert.ts";
import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { AccountId, BodyId } from "../../model/ids.ts";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import { writeBodyHead } from "../bodies/body-head.ts";
import type { BodyFiles } from "../bodies/files.ts";
import type { SegmentFailure, SegmentWriter } from "../bodies/segments.ts";
import { DiskError } from "../disk.ts";
import type { Delivery, WriteFailure } from "../ports.ts";
import { StoreError } from "../ports.ts";
import type { Reserve } from "../reserve.ts";
import type { BodyIds } from "./body-ids.ts";
import type { PlacedBody, Unit } from "./unit.ts";

// Above intake's limit for spooling there is room for trace headers; larger bodies come as files.
const MOST_IN_MEMORY = 1024 * 1024;

type Parts = {
  readonly segments: SegmentWriter;
  readonly files: BodyFiles;
  readonly ids: BodyIds;
  readonly reserve: Pick<Reserve, "isWantOfRoom">;
};
type Waiting = { readonly unit: Unit; readonly id: BodyId; readonly piece: Uint8Array };

/**
 * Puts the bodies of a group on disk and syncs them: those in memory to the end of a segment by one write and one sync,
 * the others as files. Each unit's `placed` says what became of its own; a failed sync is given back, for it puts the
 * whole group in doubt.
 */
export async function placeBodies(units: readonly Unit[], parts: Parts): Promise<SegmentFailure | undefined> {
  const waiting: Waiting[] = [];
  let doubt: SegmentFailure | undefined;
  for (const unit of units) {
    if (unit.request.verb !== "append") continue;
    const [delivery] = unit.request.arguments;
    const id = await takeId(parts);
    if (!id.ok) unit.placed = id;
    else if (delivery.body.kind === "memory") waiting.push({ unit, id: id.value, piece: pieceOf(delivery, id.value) });
    else doubt ??= placeFile(unit, delivery, id.value, parts.files);
  }
  doubt ??= syncFiles(parts.files);
  if (doubt !== undefined || waiting.length === 0) return doubt;
  return placeInSegments(waiting, parts.segments);
}

async function placeInSegments(
  waiting: readonly Waiting[],
  segments: SegmentWriter,
): Promise<SegmentFailure | undefined> {
  const written = await segments.append(waiting.map(({ piece }) => piece));
  if (!written.ok && !written.error.synced) return written.error;
  for (const [index, { unit, id, piece }] of waiting.entries()) {
    unit.placed = written.ok ? placedAt(id, written.value[index], piece) : err(written.error.failure);
  }
  return undefined;
}

function placedAt(
  id: BodyId,
  extent: { readonly segment: PlacedBody["segment"]; readonly offset: number } | undefined,
  piece: Uint8Array,
): Result<PlacedBody, WriteFailure> {
  assert(extent !== undefined, "each piece has its extent");
  const offset = extent.offset + BODY_HEAD_OCTETS;
  return ok({ id, segment: extent.segment, offset, octets: piece.byteLength });
}

/** Throws when a delivery cannot be placed for a mistake of its caller's, before others share a group with it. */
export function assertPlaceable({ body }: Delivery): void {
  assert(body.sha256.byteLength === 32, "a body has its digest");
  assert(body.start >= BODY_HEAD_OCTETS, "a body has room for its head");
  if (body.kind !== "memory") return;
  assert(body.octets <= MOST_IN_MEMORY, "a body in memory is small");
  assert(body.start + body.octets <= body.buffer.byteLength, "a body lies within its buffer");
}

/** Head and body as they lie in the caller's buffer; the head is written there. */
function pieceOf(delivery: Delivery, id: BodyId): Uint8Array {
  const { body } = delivery;
  assert(body.kind === "memory", "the body is in memory");
  const piece = new Uint8Array(body.buffer, body.start - BODY_HEAD_OCTETS, BODY_HEAD_OCTETS + body.octets);
  writeBodyHead(piece, headOf(delivery, id));
  return piece;
}

function headOf(delivery: Delivery, body: BodyId) {
  const account = delivery.recipients[0]?.account ?? (0 as AccountId);
  return { body, octets: delivery.body.octets, sha256: delivery.body.sha256, account };
}

async function takeId({ ids, reserve }: Parts): Promise<Result<BodyId, WriteFailure>> {
  try {
    return ok(await ids.take());
  } catch (cause) {
    if (cause instanceof StoreError) return err(reserve.isWantOfRoom(cause) ? "full" : "failed");
    throw cause;
  }
}

function placeFile(unit: Unit, delivery: Delivery, id: BodyId, files: BodyFiles): SegmentFailure | undefined {
  const { body } = delivery;
  assert(body.kind === "file", "the body is in a file");
  try {
    files.adopt(body.spool, body.start, headOf(delivery, id));
    unit.placed = ok({ id, segment: null, offset: body.start, octets: body.octets + BODY_HEAD_OCTETS });
    return undefined;
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    unit.placed = err(cause.kind === "full" ? "full" : "failed");
    return cause.sync ? inDoubt(cause) : undefined;
  }
}

function syncFiles(files: BodyFiles): SegmentFailure | undefined {
  try {
    files.sync();
    return undefined;
  } catch (cause) {
    if (cause instanceof DiskError) return inDoubt(cause);
    throw cause;
  }
}

function inDoubt(cause: DiskError): SegmentFailure {
  return { failure: cause.kind === "full" ? "full" : "failed", synced: false, reason: cause.message };
}
