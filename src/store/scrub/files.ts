import { setTimeout as sleep } from "node:timers/promises";
import path from "node:path";
import type { BodyId, SegmentId } from "../../model/ids.ts";
import { bodyPath, segmentOfName, segmentPath } from "../layout.ts";
import type { Walk } from "./walk.ts";
import { isCertain, report } from "./walk.ts";

const PAGE = 500;
// What reclaim or a removal has just let go of is gone by then.
const LOOK_AGAIN_MS = 2000;

/** Files that no row covers. */
export async function checkFiles(walk: Walk): Promise<void> {
  const bodies = await bodiesWithoutRow(walk);
  const segments = await segmentsWithoutRow(walk);
  if (bodies.length + segments.length === 0) return;
  await sleep(LOOK_AGAIN_MS, undefined, { signal: walk.parts.signal });
  for (const id of bodies) await lookAtBody(walk, id);
  const still = new Set(await segmentsWithoutRow(walk));
  for (const id of segments) if (still.has(id)) await reportSegment(walk, id);
}

async function bodiesWithoutRow(walk: Walk): Promise<readonly BodyId[]> {
  const { disk, layout, signal } = walk.parts;
  const found: BodyId[] = [];
  for (const folder of disk.listSync(layout.files)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    const names = disk.listSync(path.join(layout.files, folder)).filter((name) => /^\d+$/.test(name));
    for (let from = 0; from < names.length; from += PAGE) {
      signal.throwIfAborted();
      const ids = names.slice(from, from + PAGE).map((name) => Number(name) as BodyId);
      const known = new Map((await walk.rows.bodies(ids)).map((body) => [body.id, body]));
      found.push(...ids.filter((id) => known.get(id)?.segment !== null));
    }
  }
  return found;
}

// The writer looks once more, between its groups: a delivery may be on its way.
async function lookAtBody(walk: Walk, id: BodyId): Promise<void> {
  const { disk, layout } = walk.parts;
  const [row] = await walk.rows.bodies([id]);
  if (row?.segment === null || disk.octetsSync(bodyPath(layout, id).file) === undefined) return;
  const [of] = await walk.rows.showing([id]);
  const mend = isCertain(walk) && of === undefined ? ({ kind: "file", body: id } as const) : undefined;
  await report(walk, "orphan", `the file of body ${id} has no row`, { mend, ...(of && { of }) });
}

async function segmentsWithoutRow(walk: Walk): Promise<readonly SegmentId[]> {
  const { disk, layout } = walk.parts;
  const files = disk.listSync(layout.segments).flatMap((name) => segmentOfName(name) ?? []);
  const rows = await walk.rows.segments(0);
  const known = new Set<number | null>(rows.flatMap(({ id, named }) => [id, named]));
  return files.filter((id) => !known.has(id));
}

// Its row is there before a segment's file is, and its id is never used again: what has none will have none.
async function reportSegment(walk: Walk, id: SegmentId): Promise<void> {
  const { disk, layout } = walk.parts;
  const remove = (): boolean => {
    disk.unlinkSync(segmentPath(layout, id));
    return true;
  };
  await report(walk, "orphan", `the file of segment ${id} has no row`, { mend: isCertain(walk) ? remove : undefined });
}
