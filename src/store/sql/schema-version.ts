import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";

/** The version of the tables that are there. */
export const schemaVersion = statement("schema.version", (database) =>
  database.selectFrom("schema_version").select("version"),
);
const update = statement("schema.update", (database, given: { version: number }) =>
  database.updateTable("schema_version").set({ version: given.version }),
);

/** The version of the tables of a store that was made before. */
export async function readSchemaVersion(sql: Sql): Promise<number> {
  return (await sql.first(schemaVersion, {}))?.version ?? 0;
}

/** Notes the version that a migration has reached. */
export async function writeSchemaVersion(sql: Sql, version: number): Promise<void> {
  await sql.run(update, { version });
}
