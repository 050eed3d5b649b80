import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { IdKind } from "./tables.ts";

const advance = statement("highWater.advance", (database, given: { name: IdKind; count: number }) =>
  database
    .updateTable("high_water")
    .set((of) => ({ value: of("value", "+", given.count) }))
    .where("name", "=", given.name)
    .returning("value"),
);
const value = statement("highWater.value", (database, given: { name: IdKind }) =>
  database.selectFrom("high_water").select("value").where("name", "=", given.name),
);

const setClock = statement("highWater.setClock", (database, given: { at: number }) =>
  database
    .insertInto("high_water")
    .values({ name: "clock", value: given.at })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: given.at })),
);
/** The time that was noted last. */
export const clockNoted = statement("highWater.clock", (database) =>
  database.selectFrom("high_water").select("value").where("name", "=", "clock"),
);

/** Takes ids that nothing has had before; gives the first of them. They are gone for good once this commits. */
export async function reserveIds(sql: Sql, name: IdKind, count: number): Promise<number> {
  const row = await sql.first(advance, { name, count });
  return (row?.value ?? 0) - count + 1;
}

/** The highest id that was ever taken. */
export async function highestId(sql: Sql, name: IdKind): Promise<number> {
  const row = await sql.first(value, { name });
  return row?.value ?? 0;
}

/** See Upkeep.noteTime. */
export async function noteTime(sql: Sql, at: number): Promise<void> {
  await sql.run(setClock, { at: Math.round(at) });
}

/** See Upkeep.lastTime. */
export async function lastTime(sql: Sql): Promise<number | undefined> {
  return (await sql.first(clockNoted, {}))?.value;
}
