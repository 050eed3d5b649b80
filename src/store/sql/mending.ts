import type { BodyId, MailboxId, SegmentId } from "../../model/ids.ts";
import type { CounterDifference } from "../scrub/mend.ts";
import { sumOfBody } from "./bodies.ts";
import { sumOfMailbox } from "./mailboxes.ts";
import { isSound } from "./row-crc.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { MessageRow, Tables } from "./tables.ts";

const oneMailbox = statement("mend.oneMailbox", (database, given: { id: MailboxId }) =>
  database.selectFrom("mailbox").selectAll().where("id", "=", given.id),
);
const putMailbox = statement("mend.putMailbox", (database, given: Omit<Tables["mailbox"], "account" | "name">) =>
  database
    .updateTable("mailbox")
    .set({
      next_uid: given.next_uid,
      messages: given.messages,
      octets: given.octets,
      octets_downgraded: given.octets_downgraded,
      removed_messages: given.removed_messages,
      removed_octets: given.removed_octets,
      sum: given.sum,
    })
    .where("id", "=", given.id),
);
const oneBody = statement("mend.oneBody", (database, given: { id: BodyId }) =>
  database.selectFrom("body").selectAll().where("id", "=", given.id),
);
const putBody = statement("mend.putBody", (database, given: Omit<Tables["body"], "encoding">) =>
  database
    .updateTable("body")
    .set({
      segment: given.segment,
      offset: given.offset,
      octets: given.octets,
      crc32: given.crc32,
      sha256: given.sha256,
      dotted: given.dotted,
      refs: given.refs,
      sum: given.sum,
    })
    .where("id", "=", given.id),
);
const growLive = statement("mend.growLive", (database, given: { id: SegmentId; by: number; now: number }) =>
  database
    .updateTable("segment")
    .set((of) => ({ live: of("live", "+", given.by), dead_since: of.fn.coalesce("dead_since", of.val(given.now)) }))
    .where("id", "=", given.id),
);
const oneMessage = statement("mend.oneMessage", (database, given: Pick<MessageRow, "mailbox" | "uid">) =>
  database.selectFrom("message").selectAll().where("mailbox", "=", given.mailbox).where("uid", "=", given.uid),
);
const putMessage = statement("mend.putMessage", (database, given: Omit<MessageRow, "body_key">) =>
  database
    .updateTable("message")
    .set({
      octets: given.octets,
      octets_downgraded: given.octets_downgraded,
      uidl_tag: given.uidl_tag,
      uidl: given.uidl,
      body: given.body,
      received: given.received,
      row_crc: given.row_crc,
    })
    .where("mailbox", "=", given.mailbox)
    .where("uid", "=", given.uid),
);

/** Adds the differences to a mailbox's counters; its next uid is at least this one. */
export async function mendMailbox(
  sql: Sql,
  { mailbox, by, nextUid }: { readonly mailbox: MailboxId; readonly by: CounterDifference; readonly nextUid: number },
): Promise<boolean> {
  const row = await sql.first(oneMailbox, { id: mailbox });
  if (row === undefined) return false;
  const mended = {
    ...row,
    next_uid: nextUid,
    messages: row.messages + by.messages,
    octets: row.octets + by.octets,
    octets_downgraded: row.octets_downgraded + by.octets_downgraded,
    removed_messages: row.removed_messages + by.removed_messages,
    removed_octets: row.removed_octets + by.removed_octets,
  };
  return (await sql.run(putMailbox, { ...mended, sum: sumOfMailbox(mended) })) === 1;
}

/** Adds the difference to a body's references, where nothing else is wrong with its row; gives how many it has then. */
export async function mendReferences(sql: Sql, id: BodyId, by: number): Promise<number | undefined> {
  const row = await sql.first(oneBody, { id });
  if (row === undefined) return undefined;
  const mended = { ...row, refs: row.refs + by };
  const sum = sumOfBody(mended);
  if (sum !== row.sum && sumOfBody(row) !== row.sum) return undefined;
  await sql.run(putBody, { ...mended, sum });
  return mended.refs;
}

/** Adds the difference to the octets that live in a segment. */
export async function mendLive(sql: Sql, id: SegmentId, by: number, now: number): Promise<boolean> {
  return (await sql.run(growLive, { id, by, now })) === 1;
}

/** Writes a message's row as it was, if it is still as it was found. */
export async function rewriteMessage(sql: Sql, found: MessageRow, written: MessageRow): Promise<boolean> {
  const row = await sql.first(oneMessage, found);
  if (row === undefined || !isSound(written) || isSound(row)) return false;
  return (await sql.run(putMessage, written)) === 1;
}

/** Writes a body's row as it was, if its numbers are still as they were found. */
export async function rewriteBody(sql: Sql, found: Tables["body"], written: Tables["body"]): Promise<boolean> {
  const row = await sql.first(oneBody, { id: found.id });
  if (row === undefined || row.segment !== found.segment || row.offset !== found.offset) return false;
  // References may have come and gone meanwhile.
  const mended = { ...written, refs: written.refs + row.refs - found.refs };
  return (await sql.run(putBody, { ...mended, sum: sumOfBody(mended) })) === 1;
}
