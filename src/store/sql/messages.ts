import type { MailboxId, Uid } from "../../model/ids.ts";
import type { ListingPage, StoredMessage } from "../ports.ts";
import { StoreError } from "../ports.ts";
import type { UidSet } from "../uid-set.ts";
import type { Weight } from "./mailboxes.ts";
import { pendingRemovals, removalPending } from "./removals.ts";
import { rowCrc } from "./row-crc.ts";
import type { Sql, SqlValue } from "./statement.ts";
import { statement } from "./statement.ts";
import type { MessageRow } from "./tables.ts";

/** A page of a mailbox, in order of uid. */
export const messagePage = statement(
  "message.page",
  (database, given: { mailbox: MailboxId; after: number; upTo: number; limit: number }) =>
    database
      .selectFrom("message")
      .select(["uid", "octets", "uidl_tag", "uidl"])
      .where("mailbox", "=", given.mailbox)
      .where("uid", ">", given.after as Uid)
      .where("uid", "<=", given.upTo as Uid)
      .orderBy("uid")
      .limit(given.limit),
);
/** One message with the place of its body; `pending` tells that rows of the mailbox wait to be removed. */
export const messageWithBody = statement("message.withBody", (database, given: { mailbox: MailboxId; uid: Uid }) =>
  database
    .selectFrom("message")
    .leftJoin("body", "body.id", "message.body")
    .selectAll("message")
    .select([
      "body.id as body_id",
      "body.segment",
      "body.offset",
      "body.octets as body_octets",
      "body.crc32",
      "body.sha256",
      "body.dotted",
    ])
    .select((of) => of.exists(removalPending(of, given.mailbox)).as("pending"))
    .where("message.mailbox", "=", given.mailbox)
    .where("message.uid", "=", given.uid),
);
const insert = statement("message.insert", (database, given: MessageRow) =>
  database.insertInto("message").values({
    mailbox: given.mailbox,
    uid: given.uid,
    octets: given.octets,
    octets_downgraded: given.octets_downgraded,
    uidl_tag: given.uidl_tag,
    uidl: given.uidl,
    body: given.body,
    body_key: given.body_key,
    received: given.received,
    row_crc: given.row_crc,
  }),
);
const weigh = statement("message.weigh", (database, given: { mailbox: MailboxId; first: number; last: number }) =>
  database
    .selectFrom("message")
    .select((of) => [
      of.fn.countAll<number>().as("messages"),
      of.fn.sum<number | null>("octets").as("octets"),
      of.fn.sum<number | null>("octets_downgraded").as("octetsDowngraded"),
    ])
    .where("mailbox", "=", given.mailbox)
    .where("uid", ">=", given.first as Uid)
    .where("uid", "<=", given.last as Uid),
);
const weights = statement("message.weights", (database, given: { mailbox: MailboxId; after: number; limit: number }) =>
  database
    .selectFrom("message")
    .select(["uid", "octets", "octets_downgraded"])
    .where("mailbox", "=", given.mailbox)
    .where("uid", ">", given.after as Uid)
    .orderBy("uid")
    .limit(given.limit),
);

const PAGE = 2000;
// Above so many ranges one scan of the mailbox is cheaper than a statement each.
const MOST_RANGES = 200;

/** Adds a message. */
export async function insertMessage(sql: Sql, row: Omit<MessageRow, "row_crc">): Promise<void> {
  await sql.run(insert, { ...row, row_crc: rowCrc(row) });
}

/** A page of a listing without what waits to be removed: see Mail.listPage. */
export async function pageOfMessages(
  sql: Sql,
  mailbox: MailboxId,
  after: number,
  upTo: number,
  limit: number,
): Promise<ListingPage> {
  // The removals first: a message whose row is still there when the page is read was pending before that.
  const pending = await pendingRemovals(sql, mailbox);
  const rows = await sql.arrays(messagePage, { mailbox, after, upTo, limit });
  if (pending.length === 0) return packed(rows);
  const kept: (readonly SqlValue[])[] = [];
  let page = rows;
  while (page.length > 0) {
    kept.push(...page.filter(([uid]) => !pending.some((set) => set.has(Number(uid)))));
    if (kept.length >= limit) break;
    const last = Number(page.at(-1)?.[0]);
    const from = pending.reduce((uid, set) => set.nextOutside(uid), last + 1);
    page = await sql.arrays(messagePage, { mailbox, after: from - 1, upTo, limit });
  }
  return packed(kept.slice(0, limit));
}

function packed(rows: readonly (readonly SqlValue[])[]): ListingPage {
  const uids = new Uint32Array(rows.length);
  const octets = new Uint32Array(rows.length);
  const tags = new Uint32Array(rows.length);
  const names = new Map<number, string>();
  for (let index = 0; index < rows.length; index += 1) {
    const [uid, size, tag, name] = rows[index] ?? [];
    uids[index] = Number(uid);
    octets[index] = Number(size);
    tags[index] = Number(tag);
    if (typeof name === "string") names.set(index, name);
  }
  return { messages: rows.length, uids, octets, tags, names };
}

/** Where a message's body lies: see Mail.locate. A row that is not as it was written is damage, not another message. */
export async function locateMessage(sql: Sql, mailbox: MailboxId, uid: Uid): Promise<StoredMessage | undefined> {
  for (;;) {
    const row = await sql.first(messageWithBody, { mailbox, uid });
    if (row === undefined) return undefined;
    if (Number(row.pending) === 1) {
      const pending = await pendingRemovals(sql, mailbox);
      if (pending.some((set) => set.has(uid))) return undefined;
      // It was carried out just now, and the row may have been one of it.
      if (pending.length === 0) continue;
    }
    if (rowCrc(row) !== row.row_crc) throw new StoreError("damaged", `the row of message ${uid} is damaged`);
    const { body_id: body, offset, body_octets: octets, crc32, sha256 } = row;
    if (body === null || offset === null || octets === null || crc32 === null || sha256 === null) {
      throw new StoreError("damaged", `message ${uid} has no body`);
    }
    const place = { body, segment: row.segment, offset, octets, crc32, sha256, dotted: row.dotted === 1 };
    return { uid: row.uid, received: row.received, place };
  }
}

/** What these messages of a mailbox weigh together; uids that are not there weigh nothing. */
export async function weighMessages(sql: Sql, mailbox: MailboxId, uids: UidSet): Promise<Weight> {
  const sum = { messages: 0, octets: 0, octetsDowngraded: 0 };
  if (uids.rangeCount <= MOST_RANGES) {
    for (const [first, last] of uids.ranges()) {
      const found = await sql.first(weigh, { mailbox, first, last });
      sum.messages += found?.messages ?? 0;
      sum.octets += found?.octets ?? 0;
      sum.octetsDowngraded += found?.octetsDowngraded ?? 0;
    }
    return sum;
  }
  let page;
  for (let after = -1; page === undefined || page.length === PAGE; after = Number(page.at(-1)?.[0])) {
    page = await sql.arrays(weights, { mailbox, after, limit: PAGE });
    for (const [uid, octets, downgraded] of page) {
      if (!uids.has(Number(uid))) continue;
      sum.messages += 1;
      sum.octets += Number(octets);
      sum.octetsDowngraded += Number(downgraded);
    }
  }
  return sum;
}
