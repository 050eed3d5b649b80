import type { BodyId } from "../../model/ids.ts";
import { numbersIn } from "./numbers.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";

// No index tells who shows a body, since delivery would pay for it: these go through all rows, and are for what is rare.
const byMessages = statement("message.naming", (database, given: { ids: string }) =>
  database.selectFrom("message").select("body").distinct().where("body", "in", numbersIn(given.ids)),
);
const byRemoved = statement("removed.naming", (database, given: { ids: string }) =>
  database.selectFrom("removed").select("body").distinct().where("body", "in", numbersIn(given.ids)),
);

/** Those of these bodies that some message names, removed or not. */
export async function namedBodies(sql: Sql, bodies: readonly BodyId[]): Promise<ReadonlySet<BodyId>> {
  const ids = JSON.stringify(bodies);
  const rows = [...(await sql.all(byMessages, { ids })), ...(await sql.all(byRemoved, { ids }))];
  return new Set(rows.map(({ body }) => body));
}
