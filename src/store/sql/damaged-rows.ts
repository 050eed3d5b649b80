import type { MailboxId, Uid } from "../../model/ids.ts";
import type { Inspected } from "../removal-ports.ts";
import { rowCrc } from "./row-crc.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { MessageRow } from "./tables.ts";

/** Rows of a mailbox with all that their checksum is of. */
export const wholeRows = statement(
  "message.wholeRows",
  (database, given: { mailbox: MailboxId; after: number; upTo: number; limit: number }) =>
    database
      .selectFrom("message")
      .select(["uid", "octets", "octets_downgraded", "uidl_tag", "uidl", "body", "body_key", "received", "row_crc"])
      .where("mailbox", "=", given.mailbox)
      .where("uid", ">", given.after as Uid)
      .where("uid", "<=", given.upTo as Uid)
      .orderBy("uid")
      .limit(given.limit),
);

type WholeRow = readonly [
  uid: Uid,
  octets: number,
  octetsDowngraded: number,
  uidlTag: number,
  uidl: string | null,
  body: MessageRow["body"],
  bodyKey: Uint8Array | null,
  received: number,
  rowCrc: number,
];

/** See Mail.inspect. */
export async function inspectRows(
  sql: Sql,
  mailbox: MailboxId,
  after: number,
  upTo: number,
  limit: number,
): Promise<Inspected> {
  const rows = (await sql.arrays(wholeRows, { mailbox, after, upTo, limit })) as unknown as readonly WholeRow[];
  const damaged: Uid[] = [];
  const sound = rows.filter((row) => {
    if (isSound(mailbox, row)) return true;
    damaged.push(row[0]);
    return false;
  });
  return {
    damaged,
    uids: Uint32Array.from(sound, ([uid]) => uid),
    octets: Uint32Array.from(sound, ([, octets]) => octets),
    octetsDowngraded: Uint32Array.from(sound, ([, , downgraded]) => downgraded),
    last: rows.length < limit ? undefined : rows.at(-1)?.[0],
  };
}

function isSound(mailbox: MailboxId, row: WholeRow): boolean {
  const [uid, octets, octets_downgraded, uidl_tag, uidl, body, body_key, received, row_crc] = row;
  return rowCrc({ mailbox, uid, octets, octets_downgraded, uidl_tag, uidl, body, body_key, received }) === row_crc;
}
