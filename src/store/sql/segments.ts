import type { SegmentId } from "../../model/ids.ts";
import { reserveIds } from "./high-water.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** A segment as its row has it; octets with the heads of the bodies. */
export type SegmentRow = Tables["segment"];

const list = statement("segment.list", (database) => database.selectFrom("segment").selectAll().orderBy("id"));
const insert = statement("segment.insert", (database, given: { id: SegmentId }) =>
  database.insertInto("segment").values({ id: given.id, live: 0, total: 0, sealed: 0, dead_since: null }),
);
const grow = statement("segment.grow", (database, given: { id: SegmentId; live: number; total: number }) =>
  database
    .updateTable("segment")
    .set((of) => ({ live: of("live", "+", given.live), total: given.total }))
    .where("id", "=", given.id),
);
const shrink = statement("segment.shrink", (database, given: { id: SegmentId; octets: number; now: number }) =>
  database
    .updateTable("segment")
    .set((of) => ({ live: of("live", "-", given.octets), dead_since: of.fn.coalesce("dead_since", of.val(given.now)) }))
    .where("id", "=", given.id),
);
const seal = statement("segment.seal", (database, given: { id: SegmentId; total: number; now: number }) =>
  database
    .updateTable("segment")
    .set((of) => ({
      sealed: 1,
      total: given.total,
      // What no row came to name is dead from the start.
      dead_since: of
        .case()
        .when("live", "<", given.total)
        .then(of.fn.coalesce("dead_since", of.val(given.now)))
        .else(of.ref("dead_since"))
        .end(),
    }))
    .where("id", "=", given.id),
);
const remove = statement("segment.remove", (database, given: { id: SegmentId }) =>
  database.deleteFrom("segment").where("id", "=", given.id),
);

/** All segments, oldest first. */
export async function listSegments(sql: Sql): Promise<readonly SegmentRow[]> {
  return sql.all(list, {});
}

/** Registers a new segment; its file comes after the commit, so that no id is ever used twice. */
export async function registerSegment(sql: Sql): Promise<SegmentId> {
  const id = (await reserveIds(sql, "segment", 1)) as SegmentId;
  await sql.run(insert, { id });
  return id;
}

/** Counts octets that were appended: all of them, and those that rows name. */
export async function growSegment(sql: Sql, id: SegmentId, live: number, total: number): Promise<void> {
  await sql.run(grow, { id, live, total });
}

/** Counts octets that died. */
export async function shrinkSegment(sql: Sql, id: SegmentId, octets: number, now: number): Promise<void> {
  await sql.run(shrink, { id, octets, now });
}

/** Notes that nothing will be appended any more. */
export async function sealSegment(sql: Sql, id: SegmentId, total: number, now: number): Promise<void> {
  await sql.run(seal, { id, total, now });
}

/** Forgets a segment in which nothing lives. */
export async function deleteSegment(sql: Sql, id: SegmentId): Promise<void> {
  await sql.run(remove, { id });
}
