import path from "node:path";
import type { BodyId, SegmentId } from "../model/ids.ts";

/** Where everything lies in a data folder. */
export type Layout = {
  readonly database: string;
  readonly lock: string;
  readonly bodies: string;
  readonly segments: string;
  readonly files: string;
  readonly spool: string;
  /** What is kept back for removals on a full disk. */
  readonly reserve: string;
};

/** The paths within a data folder. */
export function layoutOf(folder: string): Layout {
  const bodies = path.join(folder, "bodies");
  return {
    database: path.join(folder, "mailkeep.db"),
    lock: path.join(folder, "lock.db"),
    bodies,
    segments: path.join(bodies, "segments"),
    files: path.join(bodies, "files"),
    spool: path.join(bodies, "spool"),
    reserve: path.join(folder, "reserve"),
  };
}

/** The file of a segment. */
export function segmentPath(layout: Layout, segment: SegmentId): string {
  return path.join(layout.segments, segment.toString(16).padStart(8, "0"));
}

/** The segment that a file of the segments' folder is; undefined: it is none. */
export function segmentOfName(name: string): SegmentId | undefined {
  return /^[0-9a-f]{8,}$/.test(name) ? (Number.parseInt(name, 16) as SegmentId) : undefined;
}

/** Folder and path of a body that is a file of its own; 256 folders, so that none grows without bound. */
export function bodyPath(layout: Layout, body: BodyId): { readonly folder: string; readonly file: string } {
  const folder = path.join(layout.files, (body % 256).toString(16).padStart(2, "0"));
  return { folder, file: path.join(folder, String(body)) };
}

/** The path of a spool file. */
export function spoolPath(layout: Layout, name: string): string {
  return path.join(layout.spool, name);
}
