import type { MailboxId, Uid } from "../../model/ids.ts";
import type { Weight } from "./mailboxes.ts";
import { numbersIn } from "./numbers.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { MessageRow } from "./tables.ts";

const find = statement("message.find", (database, given: { mailbox: MailboxId; uids: string }) =>
  database
    .selectFrom("message")
    .select(["uid", "octets", "octets_downgraded", "body"])
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

type Removed = Pick<MessageRow, "octets" | "octets_downgraded" | "body">;

/** Takes the rows of these messages away and gives what they weighed and the bodies they showed. */
export async function removeMessageRows(
  sql: Sql,
  mailbox: MailboxId,
  uids: readonly number[],
): Promise<Weight & { readonly bodies: readonly Removed["body"][] }> {
  const list = JSON.stringify(uids);
  const rows = await sql.all(find, { mailbox, uids: list });
  if (rows.length > 0) await sql.run(remove, { mailbox, uids: list });
  let octets = 0;
  let octetsDowngraded = 0;
  for (const row of rows) {
    octets += row.octets;
    octetsDowngraded += row.octets_downgraded;
  }
  return { messages: rows.length, octets, octetsDowngraded, bodies: rows.map((row) => row.body) };
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
