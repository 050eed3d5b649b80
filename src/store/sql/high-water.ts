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
