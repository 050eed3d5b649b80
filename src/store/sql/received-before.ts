import { setImmediate } from "node:timers/promises";
import type { MailboxId, Uid } from "../../model/ids.ts";
import { snapshotOf } from "./mailboxes.ts";
import { pendingRemovals } from "./removals.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";

/** Uids of a range whose messages came before a time. */
export const messagesBefore = statement(
  "message.before",
  (database, given: { mailbox: MailboxId; after: number; upTo: number; before: number }) =>
    database
      .selectFrom("message")
      .select("uid")
      .where("mailbox", "=", given.mailbox)
      .where("uid", ">", given.after as Uid)
      .where("uid", "<=", given.upTo as Uid)
      .where("received", "<", given.before)
      .orderBy("uid"),
);

// No index has the times, for each delivery would pay for it: what a job asks once a day is a scan, in steps of some ms.
const UIDS_AT_ONCE = 20_000;

/** See Mail.receivedBefore. */
export async function uidsReceivedBefore(
  sql: Sql,
  mailbox: MailboxId,
  before: number,
  limit: number,
): Promise<Uint32Array> {
  const highest = (await snapshotOf(sql, mailbox))?.highestUid ?? 0;
  const uids: number[] = [];
  for (let after = 0; after < highest && uids.length < limit; after += UIDS_AT_ONCE) {
    // The removals first, as for a listing.
    const pending = await pendingRemovals(sql, mailbox);
    const rows = await sql.arrays(messagesBefore, { mailbox, after, upTo: after + UIDS_AT_ONCE, before });
    for (const [uid] of rows) if (!pending.some((set) => set.has(Number(uid)))) uids.push(Number(uid));
    await setImmediate();
  }
  return Uint32Array.from(uids.slice(0, limit));
}
