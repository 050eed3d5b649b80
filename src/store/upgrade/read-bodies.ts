import { createHash } from "node:crypto";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import { BodyReader } from "../bodies/body-reader.ts";
import type { Disk } from "../disk.ts";
import type { Layout } from "../layout.ts";
import type { BodyPlace } from "../ports.ts";
import { StoreError } from "../ports.ts";
import { bodiesFrom, bodyRange } from "../sql/picture.ts";
import type { Sql } from "../sql/statement.ts";

/** How many bodies were read, and which of them are not what was delivered. */
export type BodiesRead = { readonly read: number; readonly damaged: readonly BodyPlace[] };

/** Enough that bodies which went to the wrong place or are not there show, little enough that nobody waits for it. */
export const SAMPLE = 256;
const SAMPLE_OCTETS = 256 * 1024 * 1024;
const AT_ONCE = 500;
const PIECE_OCTETS = 256 * 1024;

/** Reads bodies and compares them with their digests: all of them, or some hundred that lie evenly among them. */
export async function readBodies(
  sql: Sql,
  { disk, layout, all, progress }: { disk: Disk; layout: Layout; all: boolean; progress: (done: number) => void },
): Promise<BodiesRead> {
  using reader = new BodyReader(disk, layout);
  const damaged: BodyPlace[] = [];
  let read = 0;
  for await (const place of all ? everyBody(sql) : someBodies(sql)) {
    if (!isWhole(reader, place)) damaged.push(place);
    read += 1;
    progress(read);
  }
  return { read, damaged };
}

/** Whether a body is what was delivered; nobody else waits for this thread. */
export function isWhole(reader: BodyReader, place: BodyPlace): boolean {
  const file = reader.open(place);
  if (file === undefined) return false;
  try {
    const hash = createHash("sha256");
    const piece = new Uint8Array(Math.min(PIECE_OCTETS, BODY_HEAD_OCTETS + place.octets));
    for (let position = -BODY_HEAD_OCTETS; position < place.octets;) {
      const got = file.readSync(piece, position);
      if (got === 0) return false;
      hash.update(piece.subarray(Math.max(0, -position), got));
      position += got;
    }
    return hash.digest().equals(place.sha256);
  } catch (cause) {
    if (cause instanceof StoreError && cause.kind === "damaged") return false;
    throw cause;
  } finally {
    file.close();
  }
}

async function* everyBody(sql: Sql): AsyncGenerator<BodyPlace> {
  for (let from = 0; ;) {
    const page = await bodiesFrom(sql, from, AT_ONCE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.body + 1;
  }
}

async function* someBodies(sql: Sql): AsyncGenerator<BodyPlace> {
  const range = await bodyRange(sql);
  if (range === undefined) return;
  const step = Math.max(1, Math.floor((range.last - range.first) / SAMPLE));
  let octets = 0;
  for (let from = range.first; from <= range.last && octets < SAMPLE_OCTETS;) {
    const [place] = await bodiesFrom(sql, from, 1);
    if (place === undefined) return;
    yield place;
    octets += place.octets;
    from = place.body + step;
  }
}
