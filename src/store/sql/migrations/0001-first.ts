import type { Kysely } from "kysely";
import { sql } from "kysely";

/** The tables of the first release. Ids come from `high_water` and are never used again, also when every row is gone. */
export async function up(database: Kysely<unknown>): Promise<void> {
  await directory(database);
  await mail(database);
  await database.schema
    .createTable("high_water")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("value", "integer", (column) => column.notNull())
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  await sql`insert into high_water (name, value)
    values ('account', 0), ('mailbox', 0), ('body', 0), ('segment', 0), ('removal', 0)`.execute(database);
}

async function directory(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable("domain")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("created", "integer", (column) => column.notNull())
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  await database.schema
    .createTable("account")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("address", "text", (column) => column.notNull().unique())
    .addColumn("domain", "text", (column) => column.notNull().references("domain.name"))
    .addColumn("secret", "text", (column) => column.notNull())
    .addColumn("enabled", "integer", (column) => column.notNull())
    .addColumn("quota_octets", "integer")
    .addColumn("quota_messages", "integer")
    .addColumn("created", "integer", (column) => column.notNull())
    .modifyEnd(sql`strict`)
    .execute();
  await database.schema.createIndex("account_by_domain").on("account").columns(["domain", "address"]).execute();
  // Count and octets are kept in the transaction that changes the messages: STAT needs no scan.
  await database.schema
    .createTable("mailbox")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("account", "integer", (column) => column.notNull().references("account.id"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("next_uid", "integer", (column) => column.notNull())
    .addColumn("messages", "integer", (column) => column.notNull())
    .addColumn("octets", "integer", (column) => column.notNull())
    .addColumn("octets_downgraded", "integer", (column) => column.notNull())
    .addUniqueConstraint("mailbox_by_account", ["account", "name"])
    .modifyEnd(sql`strict`)
    .execute();
}

async function mail(database: Kysely<unknown>): Promise<void> {
  // segment NULL: a file of its own. encoding 0: as is. Digests are over the clear octets. refs: messages that show it.
  await database.schema
    .createTable("body")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("segment", "integer")
    .addColumn("offset", "integer", (column) => column.notNull())
    .addColumn("octets", "integer", (column) => column.notNull())
    .addColumn("crc32", "integer", (column) => column.notNull())
    .addColumn("sha256", "blob", (column) => column.notNull())
    .addColumn("encoding", "integer", (column) => column.notNull())
    .addColumn("dotted", "integer", (column) => column.notNull())
    .addColumn("refs", "integer", (column) => column.notNull())
    .modifyEnd(sql`strict`)
    .execute();
  // For reclaim, which asks what lives in a segment.
  await database.schema.createIndex("body_by_segment").on("body").column("segment").execute();
  // uidl: overrides the made one (imported mail). row_crc: over the other fields (row-crc.ts).
  await database.schema
    .createTable("message")
    .addColumn("mailbox", "integer", (column) => column.notNull())
    .addColumn("uid", "integer", (column) => column.notNull())
    .addColumn("octets", "integer", (column) => column.notNull())
    .addColumn("octets_downgraded", "integer", (column) => column.notNull())
    .addColumn("uidl_tag", "integer", (column) => column.notNull())
    .addColumn("uidl", "text")
    .addColumn("body", "integer", (column) => column.notNull())
    .addColumn("body_key", "blob")
    .addColumn("received", "integer", (column) => column.notNull())
    .addColumn("row_crc", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("message_key", ["mailbox", "uid"])
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  // Messages that are gone for everybody but whose rows are still there. done: carried out up to this uid.
  await database.schema
    .createTable("removal")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("mailbox", "integer", (column) => column.notNull())
    .addColumn("uids", "blob", (column) => column.notNull())
    .addColumn("done", "integer", (column) => column.notNull())
    .modifyEnd(sql`strict`)
    .execute();
  await database.schema.createIndex("removal_by_mailbox").on("removal").column("mailbox").execute();
  // live, total: octets with heads. dead_since: when the first of its octets died; NULL: none has.
  await database.schema
    .createTable("segment")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("live", "integer", (column) => column.notNull())
    .addColumn("total", "integer", (column) => column.notNull())
    .addColumn("sealed", "integer", (column) => column.notNull())
    .addColumn("dead_since", "integer")
    .modifyEnd(sql`strict`)
    .execute();
}
