import type { Kysely } from "kysely";
import { sql } from "kysely";

/** Devices, SCRAM keys, what is kept of removed mail, and the history of transfers. */
export async function up(database: Kysely<unknown>): Promise<void> {
  await accounts(database);
  await devices(database);
  await removed(database);
  await history(database);
  await sql`insert into high_water (name, value) values ('app_password', 0), ('history', 0)`.execute(database);
}

async function accounts(database: Kysely<unknown>): Promise<void> {
  // scram: sealed keys (auth/scram-keys.ts). NULL in the others: the configured default holds.
  const columns = [
    ["scram", "blob"],
    ["expire_days", "integer"],
    ["login_delay_seconds", "integer"],
    ["language", "text"],
  ] as const;
  for (const [name, type] of columns) await database.schema.alterTable("account").addColumn(name, type).execute();
  // What CAPA says before a login is of all enabled accounts; asked twice a second, so never by a scan.
  await sql`create index account_without_scram on account (enabled, scram) where scram is null`.execute(database);
  await sql`create index account_expire_days on account (enabled, expire_days)
    where expire_days is not null`.execute(database);
  await sql`create index account_login_delay on account (enabled, login_delay_seconds)
    where login_delay_seconds is not null`.execute(database);
}

async function devices(database: Kysely<unknown>): Promise<void> {
  // digest: a keyed hash of 128 random bits. scopes: words with commas between. last_*: written in batches.
  await database.schema
    .createTable("app_password")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("account", "integer", (column) => column.notNull().references("account.id"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("digest", "blob", (column) => column.notNull())
    .addColumn("scram", "blob", (column) => column.notNull())
    .addColumn("scopes", "text", (column) => column.notNull())
    .addColumn("no_delete", "integer", (column) => column.notNull())
    .addColumn("expires", "integer")
    .addColumn("created", "integer", (column) => column.notNull())
    .addColumn("last_used", "integer")
    .addColumn("last_peer", "text")
    .addUniqueConstraint("app_password_by_account", ["account", "name"])
    .modifyEnd(sql`strict`)
    .execute();
  // Where an account's owner has logged in from: the /24 or /64, and when last (abuse control).
  await database.schema
    .createTable("known_place")
    .addColumn("account", "integer", (column) => column.notNull())
    .addColumn("place", "text", (column) => column.notNull())
    .addColumn("last", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("known_place_key", ["account", "place"])
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  await database.schema.createIndex("known_place_by_last").on("known_place").column("last").execute();
}

async function removed(database: Kysely<unknown>): Promise<void> {
  // What undelete may bring back, apart from `message`, so that no listing has to step over it. The columns of `message`
  // are as they were there, row_crc too: a row that was damaged is not made whole by a removal.
  await database.schema
    .createTable("removed")
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
    .addColumn("at", "integer", (column) => column.notNull())
    .addColumn("session", "text", (column) => column.notNull())
    .addColumn("device", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("removed_key", ["mailbox", "at", "uid"])
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  await database.schema.createIndex("removed_by_age").on("removed").columns(["at", "mailbox", "uid"]).execute();
  for (const name of ["removed_messages", "removed_octets"])
    await database.schema
      .alterTable("mailbox")
      .addColumn(name, "integer", (column) => column.notNull().defaultTo(0))
      .execute();
  // A removal that is carried out later has to know who asked for it; keep = 0: nothing is kept for undelete. kind
  // "account": of all that a removed account leaves behind; "": messages, without a word in their history.
  for (const [name, type] of [
    ["at", "integer"],
    ["kind", "text"],
    ["session", "text"],
    ["device", "text"],
    ["peer", "text"],
    ["keep", "integer"],
  ] as const) {
    const empty = type === "text" ? "" : 0;
    await database.schema
      .alterTable("removal")
      .addColumn(name, type, (column) => column.notNull().defaultTo(empty))
      .execute();
  }
}

async function history(database: Kysely<unknown>): Promise<void> {
  // uids: a UidSet of the messages that the entry is of. new_uids: as many uids in the same order, of "restored" ones.
  // octets: as many numbers in the same order, of "sent" and "cut" ones: a session that fetches a thousand messages is a
  // handful of rows.
  await database.schema
    .createTable("history")
    .addColumn("mailbox", "integer", (column) => column.notNull())
    .addColumn("id", "integer", (column) => column.notNull())
    .addColumn("at", "integer", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("uids", "blob", (column) => column.notNull())
    .addColumn("new_uids", "blob")
    .addColumn("octets", "blob")
    .addColumn("session", "text", (column) => column.notNull())
    .addColumn("device", "text", (column) => column.notNull())
    .addColumn("peer", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("history_key", ["mailbox", "id"])
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  await database.schema.createIndex("history_by_age").on("history").columns(["at", "mailbox", "id"]).execute();
}
