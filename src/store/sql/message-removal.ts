import type { BodyId, MailboxId, Uid } from "../../model/ids.ts";
import { UidSet } from "../uid-set.ts";
import type { Weight } from "./mailboxes.ts";
import { numbersIn } from "./numbers.ts";
import { isSound } from "./row-crc.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { MessageRow } from "./tables.ts";

const find = statement("message.find", (database, given: { mailbox: MailboxId; uids: string }) =>
  database
    .selectFrom("message")
    .selectAll()
    .where("mailbox", "=", given.mailbox)
    .where("uid", "in", numbersIn(given.uids)),
);
const remove = statement("message.remove", (database, given: { mailbox: MailboxId; uids: string }) =>
  database.deleteFrom("message").where("mailbox", "=", given.mailbox).where("uid", "in", numbersIn(given.uids)),
);
const uidsFrom = statement("message.uidsFrom", (database, given: { mailbox: MailboxId; from: number; limit: number }) =>
  database
    .selectFrom("message")
    .select("uid")
    .where("mailbox", "=", given.mailbox)
    .where("uid", ">=", given.from as Uid)
    .orderBy("uid")
    .limit(given.limit),
);

const PAGE = 2000;

/** Rows of messages that are being removed: what they weigh and the bodies they show. */
export type Removing = Weight & { readonly uids: readonly Uid[]; readonly bodies: readonly BodyId[] };

/**
 * Those of these messages that are there and as they were written. `damaged`: the others, which may be any message's: their
 * octets and the body that they name are not to be believed, so nothing is ever removed by them.
 */
export async function weighRows(
  sql: Sql,
  mailbox: MailboxId,
  uids: readonly number[],
): Promise<Removing & { readonly damaged: Removing }> {
  const rows = await sql.all(find, { mailbox, uids: JSON.stringify(uids) });
  const { sound = [], damaged = [] } = Object.groupBy(rows, (row) => (isSound(row) ? "sound" : "damaged"));
  return { ...weigh(sound), damaged: weigh(damaged) };
}

function weigh(rows: readonly MessageRow[]): Removing {
  let octets = 0;
  let octetsDowngraded = 0;
  for (const row of rows) {
    octets += row.octets;
    octetsDowngraded += row.octets_downgraded;
  }
  const found = { uids: rows.map(({ uid }) => uid), bodies: rows.map(({ body }) => body) };
  return { messages: rows.length, octets, octetsDowngraded, ...found };
}

/** Takes the rows of these messages away. */
export async function deleteMessageRows(sql: Sql, mailbox: MailboxId, uids: readonly number[]): Promise<void> {
  await sql.run(remove, { mailbox, uids: JSON.stringify(uids) });
}

/** Those of a set that are there; reads only as much as has to be compared. */
export async function presentUids(sql: Sql, mailbox: MailboxId, uids: UidSet): Promise<UidSet> {
  const present: number[] = [];
  let from = uids.nextInside(0);
  while (from !== undefined) {
    const page = await messageUids(sql, mailbox, from, PAGE);
    const last = page.at(-1);
    for (const uid of page) if (uids.has(uid)) present.push(uid);
    from = last === undefined ? undefined : uids.nextInside(last + 1);
  }
  return UidSet.of(Uint32Array.from(present));
}

/** The uids of a mailbox from one on, in order. */
export async function messageUids(
  sql: Sql,
  mailbox: MailboxId,
  from: number,
  limit: number,
): Promise<readonly number[]> {
  const rows = await sql.arrays(uidsFrom, { mailbox, from, limit });
  return rows.map(([uid]) => Number(uid));
}
