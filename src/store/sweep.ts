import path from "node:path";
import type { BodyId } from "../model/ids.ts";
import type { Disk } from "./disk.ts";
import type { Layout } from "./layout.ts";
import { segmentOfName, segmentPath } from "./layout.ts";
import { StoreError } from "./ports.ts";
import { anyBodyIn, hasOwnFile } from "./sql/bodies.ts";
import { highestId } from "./sql/high-water.ts";
import { namedBodies } from "./sql/named-bodies.ts";
import { deleteSegment, listSegments, sealSegment } from "./sql/segments.ts";
import type { WriteSql } from "./sql/statement.ts";
import { transaction } from "./sql/statement.ts";

/**
 * Puts a store in order at its start, whatever way the last run ended: makes its folders, seals or drops the segments
 * that were being written, and removes files that no row names. No other recovery exists.
 */
export async function sweep(sql: WriteSql, disk: Disk, layout: Layout, now: number): Promise<void> {
  for (const folder of [layout.bodies, layout.segments, layout.files, layout.spool]) disk.mkdirSync(folder);
  for (const folder of [path.dirname(layout.bodies), layout.bodies]) disk.fsyncFolderSync(folder);
  await refuseOlderDatabase(sql, disk, layout);
  await endSegments(sql, disk, layout, now);
  await sweepSegments(sql, disk, layout);
  await sweepFiles(sql, disk, layout);
  for (const name of disk.listSync(layout.spool)) disk.unlinkSync(path.join(layout.spool, name));
}

/**
 * Ids are taken before files are made, so a file with an id that was never taken belongs to a later state of this
 * store: its database was set back, and to sweep now would destroy mail.
 */
async function refuseOlderDatabase(sql: WriteSql, disk: Disk, layout: Layout): Promise<void> {
  const segment = await highestId(sql, "segment");
  const body = await highestId(sql, "body");
  const newer =
    disk.listSync(layout.segments).some((name) => (segmentOfName(name) ?? 0) > segment) ||
    ownFiles(disk, layout).some((file) => Number(path.basename(file)) > body);
  if (newer) throw new StoreError("damaged", "the database is older than the bodies beside it");
}

async function endSegments(sql: WriteSql, disk: Disk, layout: Layout, now: number): Promise<void> {
  const open = (await listSegments(sql)).filter((row) => row.sealed === 0);
  await transaction(sql, async () => {
    for (const { id, live, total } of open) {
      const octets = disk.octetsSync(segmentPath(layout, id));
      if (live === 0 && !(await anyBodyIn(sql, id))) await deleteSegment(sql, id);
      else await sealSegment(sql, id, Math.max(total, octets ?? 0), now);
    }
  });
}

async function sweepSegments(sql: WriteSql, disk: Disk, layout: Layout): Promise<void> {
  const known = new Set<number>((await listSegments(sql)).map((row) => row.id));
  for (const name of disk.listSync(layout.segments)) {
    const segment = segmentOfName(name);
    if (segment === undefined || known.has(segment) || (await anyBodyIn(sql, segment))) continue;
    disk.unlinkSync(path.join(layout.segments, name));
  }
}

/** A body whose row is gone but which messages still name lost it to rot: its octets are all that is left of them. */
async function sweepFiles(sql: WriteSql, disk: Disk, layout: Layout): Promise<void> {
  const orphans = new Map<BodyId, string>();
  for (const file of ownFiles(disk, layout)) {
    const id = Number(path.basename(file)) as BodyId;
    if (!(await hasOwnFile(sql, id))) orphans.set(id, file);
  }
  if (orphans.size === 0) return;
  const named = await namedBodies(sql, [...orphans.keys()]);
  for (const [id, file] of orphans) if (!named.has(id)) disk.unlinkSync(file);
}

function ownFiles(disk: Disk, layout: Layout): readonly string[] {
  const folders = disk.listSync(layout.files).filter((name) => /^[0-9a-f]{2}$/.test(name));
  return folders.flatMap((folder) => {
    const within = path.join(layout.files, folder);
    const names = disk.listSync(within).filter((name) => /^\d+$/.test(name));
    return names.map((name) => path.join(within, name));
  });
}
