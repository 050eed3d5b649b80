import type { Kysely } from "kysely";
import { sql } from "kysely";

/** What tells rot in rows that change, and how far a scrub has come. */
export async function up(database: Kysely<unknown>): Promise<void> {
  // sum: of the other numbers of the row, kept by the same statements that change them, so that a flipped bit in one of them
  // shows. (A row of `message` never changes, and has a checksum.)
  for (const table of ["mailbox", "body"])
    await database.schema
      .alterTable(table)
      .addColumn("sum", "integer", (column) => column.notNull().defaultTo(0))
      .execute();
  await sql`update mailbox set "sum" = id + account + next_uid + messages + octets + octets_downgraded
    + removed_messages + removed_octets`.execute(database);
  await sql`update body set "sum" = id + coalesce(segment, 0) + "offset" + octets + crc32 + dotted + refs`.execute(
    database,
  );
  // Over uids; NULL: noted before there was one.
  await database.schema.alterTable("removal").addColumn("uids_crc", "integer").execute();
  // "current": the one that is under way or was interrupted; "last": the last one that came to its end. findings: JSON.
  await database.schema
    .createTable("scrub")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("started", "integer", (column) => column.notNull())
    .addColumn("at", "integer", (column) => column.notNull())
    .addColumn("stage", "text", (column) => column.notNull())
    .addColumn("position", "integer", (column) => column.notNull())
    .addColumn("messages", "integer", (column) => column.notNull())
    .addColumn("bodies", "integer", (column) => column.notNull())
    .addColumn("octets", "integer", (column) => column.notNull())
    .addColumn("found", "integer", (column) => column.notNull())
    .addColumn("mended", "integer", (column) => column.notNull())
    .addColumn("findings", "text", (column) => column.notNull())
    .modifyEnd(sql`strict, without rowid`)
    .execute();
}
