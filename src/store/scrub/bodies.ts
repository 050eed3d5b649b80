import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import { isBodyHead, readBodyHead } from "../bodies/body-head.ts";
import { LineStartDots } from "../bodies/line-start-dots.ts";
import { DiskError } from "../disk.ts";
import { bodyPath, segmentPath } from "../layout.ts";
import { highestId } from "../sql/high-water.ts";
import { hasItsSum, sumOfBody } from "../sql/bodies.ts";
import type { MessageRow, Tables } from "../sql/tables.ts";
import type { FindingKind } from "./report.ts";
import type { Walk } from "./walk.ts";
import { atOneMoment, eachPage, isCertain, report, showing, step } from "./walk.ts";

type BodyRow = Tables["body"];
/** A row as it is, and as it was written. */
type Rewrite = { readonly found: BodyRow; readonly written: BodyRow };
type Judgement = "sound" | Extract<FindingKind, "missing" | "damaged" | "unreadable">;

const PAGE = 100;
// Of more messages it is not known how many show a body (scrub-rows.ts).
const MOST_SHOWN = 1000;
const PIECE_OCTETS = 256 * 1024;

/** Every body's octets, with the digest that was taken when they were delivered. */
export async function checkBodies(walk: Walk): Promise<void> {
  const upTo = await highestId(walk.parts.sql, "body");
  const next = (after: number, limit: number): Promise<readonly BodyRow[]> => walk.rows.bodyPage(after, limit);
  const pages = { from: walk.state.position, upTo, limit: PAGE, next, numberOf: ({ id }: BodyRow) => id };
  await eachPage(walk, pages, async (page) => {
    for (const body of page) {
      await checkBody(walk, body);
      const { state } = walk;
      await step(walk, { position: body.id, bodies: state.bodies + 1, octets: state.octets + body.octets });
    }
  });
}

/** One body; `shown`: by these messages, else they are looked for when something is wrong. */
export async function checkBody(walk: Walk, body: BodyRow, shown?: readonly MessageRow[]): Promise<void> {
  let judged = await judge(walk, body);
  if (judged === "sound" && hasItsSum(body)) return;
  // It may have moved or gone while it was read.
  const [again] = await walk.rows.bodies([body.id]);
  if (again === undefined) return;
  if (again.segment !== body.segment || again.offset !== body.offset || again.refs !== body.refs) {
    judged = await judge(walk, again);
    if (judged === "sound" && hasItsSum(again)) return;
  }
  await reportBody(walk, again, judged, shown ?? (await showing(walk, again.id)));
}

async function reportBody(walk: Walk, row: BodyRow, judged: Judgement, shown: readonly MessageRow[]): Promise<void> {
  const right = await asWritten(walk, row, judged);
  const mend = right && ({ kind: "body-row", ...right } as const);
  const kind = right !== undefined || judged === "sound" ? "body-row" : judged;
  const detail = `body ${row.id} in ${row.segment === null ? "a file of its own" : `segment ${row.segment}`}`;
  if (shown.length === 0) return report(walk, kind, detail, { mend });
  for (const [index, of] of shown.entries()) {
    // One row is mended once; for the others of its messages the same holds.
    await report(walk, kind, detail, { of, mend: index === 0 ? mend : undefined });
    if (mend !== undefined && walk.parts.request.repair) return;
  }
}

/**
 * The row as it was written, where one of its numbers or its digest is wrong: what the sum says that the number was, believed
 * only when octets with the right head and digests are found by it. What rotted in the octets themselves nothing can tell.
 */
async function asWritten(walk: Walk, row: BodyRow, judged: Judgement): Promise<Rewrite | undefined> {
  const by = row.sum - sumOfBody(row);
  if (judged === "sound") return withRightFigures(walk, row);
  if (by === 0) return withOtherDigest(walk, row);
  for (const field of ["offset", "octets", "crc32"] as const) {
    const written = { ...row, [field]: row[field] + by };
    if (written[field] >= 0 && (await judge(walk, written)) === "sound") return { found: row, written };
  }
  const written = { ...row, segment: ((row.segment ?? 0) + by || null) as BodyRow["segment"] };
  const sound = (written.segment ?? 1) > 0 && (await judge(walk, written)) === "sound";
  return sound ? { found: row, written } : undefined;
}

/** The octets are right, so what is wrong is one of the figures beside them: what can be counted is. */
async function withRightFigures(walk: Walk, row: BodyRow): Promise<Rewrite | undefined> {
  const dots = new LineStartDots();
  const read = await reading(walk, row, (at) => judgeOctets(walk, row, at, (piece) => dots.push(piece)));
  if (read !== "sound" || !isCertain(walk)) return undefined;
  return atOneMoment(walk, async () => {
    const [found] = await walk.rows.bodies([row.id]);
    const { length: refs } = await walk.rows.showing([row.id]);
    if (found === undefined || refs >= MOST_SHOWN) return undefined;
    const written = { ...found, dotted: Number(dots.found), refs };
    return { found, written: { ...written, sum: sumOfBody(written) } };
  });
}

async function withOtherDigest(walk: Walk, row: BodyRow): Promise<Rewrite | undefined> {
  const sha256 = await digestOnDisk(walk, row);
  if (sha256 === undefined) return undefined;
  const written = { ...row, sha256 };
  return (await judge(walk, written)) === "sound" ? { found: row, written } : undefined;
}

async function digestOnDisk(walk: Walk, row: BodyRow): Promise<Uint8Array | undefined> {
  const head = Buffer.alloc(BODY_HEAD_OCTETS);
  const read = await reading(walk, row, async (at) => at(head, -BODY_HEAD_OCTETS));
  const found = read === BODY_HEAD_OCTETS ? readBodyHead(head) : undefined;
  return found?.body === row.id && found.octets === row.octets ? found.sha256 : undefined;
}

/** Reads all of a body and compares head, length, checksum and digest. */
async function judge(walk: Walk, row: BodyRow): Promise<Judgement> {
  const answer = await reading(walk, row, (read) => judgeOctets(walk, row, read));
  return typeof answer === "string" ? answer : "damaged";
}

type ReadAt = (target: Uint8Array, position: number) => number;

async function judgeOctets(
  walk: Walk,
  row: BodyRow,
  read: ReadAt,
  heard: (piece: Uint8Array) => void = () => undefined,
): Promise<Judgement> {
  const piece = Buffer.allocUnsafe(Math.min(PIECE_OCTETS, row.octets + BODY_HEAD_OCTETS));
  const digest = createHash("sha256");
  let crc = 0;
  for (let position = -BODY_HEAD_OCTETS; position < row.octets;) {
    const wanted = piece.subarray(0, Math.min(piece.length, row.octets - position));
    const octets = read(wanted, position);
    await walk.pace.spend(octets);
    if (octets < wanted.length) return "damaged";
    const head = position < 0 ? BODY_HEAD_OCTETS : 0;
    if (head > 0 && !isBodyHead(wanted, { ...row, body: row.id })) return "damaged";
    const content = wanted.subarray(head);
    digest.update(content);
    heard(content);
    crc = crc32(content, crc);
    position += octets;
  }
  return crc === row.crc32 && digest.digest().equals(row.sha256) ? "sound" : "damaged";
}

/** Opens the file in which a body lies, for this work. */
async function reading<T>(
  { parts: { disk, layout } }: Walk,
  { id, segment, offset }: Pick<BodyRow, "id" | "segment" | "offset">,
  work: (read: ReadAt) => Promise<T>,
): Promise<T | "missing" | "unreadable"> {
  try {
    const path = segment === null ? bodyPath(layout, id).file : segmentPath(layout, segment);
    const file = disk.openSync(path, "read");
    try {
      return await work((target, position) => disk.readSync(file, target, offset + position));
    } finally {
      disk.closeSync(file);
    }
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    return cause.kind === "missing" ? "missing" : "unreadable";
  }
}
