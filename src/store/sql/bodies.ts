import type { BodyId, SegmentId } from "../../model/ids.ts";
import { numbersIn } from "./numbers.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

type BodyRow = Tables["body"];

const insert = statement("body.insert", (database, given: Omit<BodyRow, "encoding">) =>
  database.insertInto("body").values({
    id: given.id,
    segment: given.segment,
    offset: given.offset,
    octets: given.octets,
    crc32: given.crc32,
    sha256: given.sha256,
    encoding: 0,
    dotted: given.dotted,
    refs: given.refs,
    sum: given.sum,
  }),
);
const unreference = statement("body.unreference", (database, given: { ids: string; count: number }) =>
  database
    .updateTable("body")
    .set((of) => ({ refs: of("refs", "-", given.count), sum: of("sum", "-", given.count) }))
    .where("id", "in", numbersIn(given.ids)),
);
const unreferenced = statement("body.unreferenced", (database, given: { ids: string }) =>
  database.selectFrom("body").selectAll().where("id", "in", numbersIn(given.ids)).where("refs", "<=", 0),
);
const remove = statement("body.remove", (database, given: { ids: string }) =>
  database.deleteFrom("body").where("id", "in", numbersIn(given.ids)),
);
// In the order of the index: one that had to be sorted would read all of a segment for each slice of it.
const inSegment = statement("body.inSegment", (database, given: { segment: SegmentId; limit: number }) =>
  database.selectFrom("body").selectAll().where("segment", "=", given.segment).orderBy("id").limit(given.limit),
);
const move = statement("body.move", (database, given: { id: BodyId; segment: SegmentId; offset: number; by: number }) =>
  database
    .updateTable("body")
    .set((of) => ({ segment: given.segment, offset: given.offset, sum: of("sum", "+", given.by) }))
    .where("id", "=", given.id),
);
const oneInSegment = statement("body.oneInSegment", (database, given: { segment: SegmentId }) =>
  database.selectFrom("body").select("id").where("segment", "=", given.segment).limit(1),
);
const ownFile = statement("body.ownFile", (database, given: { id: BodyId }) =>
  database.selectFrom("body").select("id").where("id", "=", given.id).where("segment", "is", null),
);

/** A body that no message shows any more. */
export type DeadBody = Pick<BodyRow, "id" | "segment" | "octets">;

/** What the numbers of a body's row are together. */
export function sumOfBody(row: Omit<BodyRow, "encoding" | "sha256" | "sum">): number {
  const { id, segment, offset, octets, crc32, dotted, refs } = row;
  return id + (segment ?? 0) + offset + octets + crc32 + dotted + refs;
}

/** Whether the numbers of a row are as they were written. */
export function hasItsSum(row: BodyRow): boolean {
  return sumOfBody(row) === row.sum;
}

/** Adds a body with the messages that show it. */
export async function insertBody(sql: Sql, row: Omit<BodyRow, "encoding" | "sum">): Promise<void> {
  await sql.run(insert, { ...row, sum: sumOfBody(row) });
}

/**
 * Takes one reference off for each mention; removes and gives those that are left with none. One whose numbers are wrong stays:
 * it may have more references than it says.
 */
export async function releaseBodies(sql: Sql, bodies: readonly BodyId[]): Promise<readonly DeadBody[]> {
  const mentions = new Map<BodyId, number>();
  for (const body of bodies) mentions.set(body, (mentions.get(body) ?? 0) + 1);
  for (const count of new Set(mentions.values())) {
    const ids = [...mentions.keys()].filter((body) => mentions.get(body) === count);
    await sql.run(unreference, { ids: JSON.stringify(ids), count });
  }
  const found = await sql.all(unreferenced, { ids: JSON.stringify([...mentions.keys()]) });
  const dead = found.filter(hasItsSum);
  if (dead.length > 0) await sql.run(remove, { ids: JSON.stringify(dead.map((body) => body.id)) });
  return dead;
}

/** Live bodies of a segment, the oldest first. */
export async function bodiesInSegment(sql: Sql, segment: SegmentId, limit: number): Promise<readonly BodyRow[]> {
  return sql.all(inSegment, { segment, limit });
}

/** Notes where a body lies now. */
export async function moveBody(sql: Sql, from: BodyRow, segment: SegmentId, offset: number): Promise<void> {
  const by = segment + offset - (from.segment ?? 0) - from.offset;
  await sql.run(move, { id: from.id, segment, offset, by });
}

/** Whether some body is said to lie in a segment. */
export async function anyBodyIn(sql: Sql, segment: SegmentId): Promise<boolean> {
  return (await sql.first(oneInSegment, { segment })) !== undefined;
}

/** Whether a body is there and lies in a file of its own. */
export async function hasOwnFile(sql: Sql, id: BodyId): Promise<boolean> {
  return (await sql.first(ownFile, { id })) !== undefined;
}
