import type { MailboxId, Uid } from "../../model/ids.ts";
import type { RemovedFilter } from "../ports.ts";
import { numbersIn } from "./numbers.ts";
import { removedRows, wanted } from "./removed.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { RemovedRow } from "./tables.ts";

// What goes over from `message` as it is.
const MOVED = [
  "mailbox",
  "uid",
  "octets",
  "octets_downgraded",
  "uidl_tag",
  "uidl",
  "body",
  "body_key",
  "received",
  "row_crc",
] as const;

const keep = statement(
  "removed.keep",
  (database, given: { mailbox: MailboxId; uids: string; at: number; session: string; device: string }) =>
    database
      .insertInto("removed")
      .columns([...MOVED, "at", "session", "device"])
      .expression((of) =>
        of
          .selectFrom("message")
          .select([
            ...MOVED,
            of.val(given.at).as("at"),
            of.val(given.session).as("session"),
            of.val(given.device).as("device"),
          ])
          .where("mailbox", "=", given.mailbox)
          .where("uid", "in", numbersIn(given.uids)),
      ),
);
const firstCome = statement(
  "removed.firstCome",
  (database, given: Parameters<typeof removedRows>[1] & { limit: number }) =>
    database
      .selectFrom("removed")
      .selectAll()
      .where((of) => removedRows(of, given))
      .orderBy("uid")
      .limit(given.limit),
);
const oldest = statement("removed.oldest", (database, given: { before: number; limit: number }) =>
  database
    .selectFrom("removed")
    .selectAll()
    .where("at", "<", given.before)
    .orderBy("at")
    .orderBy("mailbox")
    .orderBy("uid")
    .limit(given.limit),
);
const ofMailbox = statement("removed.ofMailbox", (database, given: { mailbox: MailboxId; limit: number }) =>
  database.selectFrom("removed").selectAll().where("mailbox", "=", given.mailbox).orderBy("at").limit(given.limit),
);
const remove = statement(
  "removed.remove",
  (database, given: { mailbox: MailboxId; first: number; last: number; uids: string }) =>
    database
      .deleteFrom("removed")
      .where("mailbox", "=", given.mailbox)
      .where("at", ">=", given.first)
      .where("at", "<=", given.last)
      .where("uid", "in", numbersIn(given.uids)),
);

/** Copies rows of messages that are being removed to where undelete finds them. */
export async function keepRemovedRows(
  sql: Sql,
  mailbox: MailboxId,
  uids: readonly number[],
  by: { readonly at: number; readonly session: string; readonly device: string },
): Promise<void> {
  await sql.run(keep, { mailbox, uids: JSON.stringify(uids), at: by.at, session: by.session, device: by.device });
}

/** The rows of a filter that came first. */
export async function firstRemovedRows(
  sql: Sql,
  mailbox: MailboxId,
  filter: RemovedFilter,
  limit: number,
): Promise<readonly RemovedRow[]> {
  return sql.all(firstCome, { ...wanted(mailbox, filter), limit });
}

/** The rows of all mailboxes that were removed first. */
export async function oldestRemovedRows(sql: Sql, before: number, limit: number): Promise<readonly RemovedRow[]> {
  return sql.all(oldest, { before, limit });
}

/** Rows of one mailbox, whether it is there or not. */
export async function removedRowsOf(sql: Sql, mailbox: MailboxId, limit: number): Promise<readonly RemovedRow[]> {
  return sql.all(ofMailbox, { mailbox, limit });
}

/** Takes rows of one mailbox away. */
export async function deleteRemovedRows(
  sql: Sql,
  mailbox: MailboxId,
  rows: readonly { readonly uid: Uid; readonly at: number }[],
): Promise<void> {
  let [first, last] = [Infinity, -Infinity];
  for (const { at } of rows) [first, last] = [Math.min(first, at), Math.max(last, at)];
  await sql.run(remove, { mailbox, first, last, uids: JSON.stringify(rows.map(({ uid }) => uid)) });
}
