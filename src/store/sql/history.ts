import type { Actor, HistoryEntry, HistoryKind } from "../../model/history.ts";
import type { MailboxId, Uid } from "../../model/ids.ts";
import { UidSet } from "../uid-set.ts";
import { decodeVarints, encodeVarints } from "../varints.ts";
import { reserveIds } from "./high-water.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

type Row = Tables["history"];

/** Entries of a mailbox that is there, the newest first, behind those that were read before. */
export const historyPage = statement(
  "history.page",
  (database, given: { mailbox: MailboxId; before: number; limit: number }) =>
    database
      .selectFrom("history")
      .innerJoin("mailbox", "mailbox.id", "history.mailbox")
      .select([
        "history.id",
        "history.at",
        "history.kind",
        "history.uids",
        "history.new_uids",
        "history.octets",
        "history.session",
        "history.device",
        "history.peer",
      ])
      .where("history.mailbox", "=", given.mailbox)
      .where("history.id", "<", given.before)
      .orderBy("history.id", "desc")
      .limit(given.limit),
);
// From the mailbox's row, so that nothing is kept for one that is gone.
const insert = statement("history.insert", (database, given: Row) =>
  database
    .insertInto("history")
    .columns(["mailbox", "id", "at", "kind", "uids", "new_uids", "octets", "session", "device", "peer"])
    .expression((of) =>
      of
        .selectFrom("mailbox")
        .select([
          "mailbox.id as mailbox",
          of.val(given.id).as("id"),
          of.val(given.at).as("at"),
          of.val(given.kind).as("kind"),
          of.val(given.uids).as("uids"),
          of.val(given.new_uids).as("new_uids"),
          of.val(given.octets).as("octets"),
          of.val(given.session).as("session"),
          of.val(given.device).as("device"),
          of.val(given.peer).as("peer"),
        ])
        .where("mailbox.id", "=", given.mailbox),
    ),
);
const removeSlice = statement("history.removeSlice", (database, given: { mailbox: MailboxId; limit: number }) =>
  database
    .deleteFrom("history")
    .where("mailbox", "=", given.mailbox)
    .where("id", "in", (of) =>
      of
        .selectFrom("history as old")
        .select("old.id")
        .where("old.mailbox", "=", given.mailbox)
        .orderBy("old.id")
        .limit(given.limit),
    ),
);
const forget = statement("history.forget", (database, given: { before: number; limit: number }) =>
  database
    .deleteFrom("history")
    .where((of) =>
      of(
        of.refTuple("mailbox", "id"),
        "in",
        of
          .selectFrom("history as old")
          .select(["old.mailbox", "old.id"])
          .where("old.at", "<", given.before)
          .orderBy("old.at")
          .limit(given.limit)
          .$asTuple("mailbox", "id"),
      ),
    ),
);

/** An entry as it is written; `octets` of a "sent" or "cut", one for each uid in order. */
export type NewEntry = Actor & {
  readonly mailbox: MailboxId;
  readonly at: number;
  readonly kind: HistoryKind;
  readonly uids: UidSet;
  readonly newUids?: UidSet;
  readonly octets?: readonly number[];
};

/** Writes entries; those of mailboxes that are gone are left out. */
export async function insertHistory(sql: Sql, entries: readonly NewEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const first = await reserveIds(sql, "history", entries.length);
  for (const [index, entry] of entries.entries()) {
    const { mailbox, at, kind, uids, newUids, octets, session, device, peer } = entry;
    await sql.run(insert, {
      mailbox,
      id: first + index,
      at,
      kind,
      uids: uids.encode(),
      new_uids: newUids?.encode() ?? null,
      octets: octets === undefined ? null : encodeVarints(octets),
      session,
      device,
      peer,
    });
  }
}

/** Takes away the oldest entries of a mailbox; gives how many. */
export async function deleteHistory(sql: Sql, mailbox: MailboxId, limit: number): Promise<number> {
  return sql.run(removeSlice, { mailbox, limit });
}

/** Forgets one slice of the oldest entries; gives how many. */
export async function forgetHistory(sql: Sql, before: number, limit: number): Promise<number> {
  return sql.run(forget, { before, limit });
}

type Found = Omit<Row, "mailbox">;

/** A page of a mailbox's entries as they are kept. */
export async function pageOfHistory(
  sql: Sql,
  mailbox: MailboxId,
  before: number,
  limit: number,
): Promise<readonly Found[]> {
  return sql.all(historyPage, { mailbox, before, limit });
}

/** An entry for its reader, with so many uids at most. */
export function entryOf(row: Found, mostUids: number): HistoryEntry {
  const uids = UidSet.decode(row.uids);
  return {
    ...plain(row),
    uids: uids.toArray(mostUids),
    messages: uids.count,
    newUids: row.new_uids === null ? [] : UidSet.decode(row.new_uids).toArray(mostUids),
    octets: row.octets === null ? null : decodeVarints(row.octets).reduce((sum, octets) => sum + octets, 0),
  };
}

/** The same for who asks for one message: what it says of that one; undefined: it is not of it. */
export function entryOfMessage(row: Found, uid: Uid): HistoryEntry | undefined {
  const uids = UidSet.decode(row.uids);
  const newUids = row.new_uids === null ? undefined : UidSet.decode(row.new_uids);
  const index = uids.indexOf(uid) ?? newUids?.indexOf(uid);
  if (index === undefined) return undefined;
  const old = uids.at(index);
  const fresh = newUids?.at(index);
  return {
    ...plain(row),
    uids: old === undefined ? [] : [old],
    messages: uids.count,
    newUids: fresh === undefined ? [] : [fresh],
    octets: row.octets === null ? null : (decodeVarints(row.octets)[index] ?? null),
  };
}

function plain({ id, at, kind, session, device, peer }: Found) {
  return { id, at, kind, session, device, peer };
}
