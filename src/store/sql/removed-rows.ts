import type { MailboxId, Uid } from "../../model/ids.ts";
import { numbersIn } from "./numbers.ts";
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
const keysFrom = statement(
  "removed.keysFrom",
  (database, given: { mailbox: MailboxId; at: number; uid: number; limit: number }) =>
    database
      .selectFrom("removed")
      .select(["at", "uid", "device"])
      .where("mailbox", "=", given.mailbox)
      .where((of) => of(of.refTuple("at", "uid"), ">", of.tuple(given.at, given.uid as Uid)))
      .orderBy("at")
      .orderBy("uid")
      .limit(given.limit),
);
// One removal at a time: SQLite looks each uid up by the key then, and would read all of a range of times.
const byKey = statement("removed.byKey", (database, given: { mailbox: MailboxId; at: number; uids: string }) =>
  database
    .selectFrom("removed")
    .selectAll()
    .where("mailbox", "=", given.mailbox)
    .where("at", "=", given.at)
    .where("uid", "in", numbersIn(given.uids)),
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
const remove = statement("removed.remove", (database, given: { mailbox: MailboxId; at: number; uids: string }) =>
  database
    .deleteFrom("removed")
    .where("mailbox", "=", given.mailbox)
    .where("at", "=", given.at)
    .where("uid", "in", numbersIn(given.uids)),
);

/** What one row of a mailbox is found by. */
export type RemovedKey = { readonly uid: Uid; readonly at: number };

/** Copies rows of messages that are being removed to where undelete finds them. */
export async function keepRemovedRows(
  sql: Sql,
  mailbox: MailboxId,
  uids: readonly number[],
  by: { readonly at: number; readonly session: string; readonly device: string },
): Promise<void> {
  await sql.run(keep, { mailbox, uids: JSON.stringify(uids), at: by.at, session: by.session, device: by.device });
}

/** The keys of a mailbox's rows in order of their removal, those behind one, with the device that removed them. */
export async function removedKeysFrom(
  sql: Sql,
  mailbox: MailboxId,
  { at, uid }: RemovedKey,
  limit: number,
): Promise<readonly (RemovedKey & { readonly device: string })[]> {
  return sql.all(keysFrom, { mailbox, at, uid, limit });
}

/** The rows of these keys that are there, in order of uid. */
export async function removedRowsByKey(
  sql: Sql,
  mailbox: MailboxId,
  keys: readonly RemovedKey[],
): Promise<readonly RemovedRow[]> {
  const rows: RemovedRow[] = [];
  for (const [at, uids] of byRemoval(keys)) rows.push(...(await sql.all(byKey, { mailbox, at, uids })));
  return rows.toSorted((one, other) => one.uid - other.uid);
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
export async function deleteRemovedRows(sql: Sql, mailbox: MailboxId, rows: readonly RemovedKey[]): Promise<void> {
  for (const [at, uids] of byRemoval(rows)) await sql.run(remove, { mailbox, at, uids });
}

/** The uids of each time of removal, as JSON. */
function byRemoval(keys: readonly RemovedKey[]): readonly (readonly [at: number, uids: string])[] {
  return [...Map.groupBy(keys, ({ at }) => at)].map(([at, of]) => [at, JSON.stringify(of.map(({ uid }) => uid))]);
}
