import { setImmediate } from "node:timers/promises";
import type { ExpressionBuilder, Kysely } from "kysely";
import type { BodyId, MailboxId, SegmentId, Uid } from "../../model/ids.ts";
import type { ListingPage, OctetsAs, StoredMessage } from "../ports.ts";
import { StoreError } from "../ports.ts";
import type { UidSet } from "../uid-set.ts";
import { sumOfBody } from "./bodies.ts";
import type { Weight } from "./mailboxes.ts";
import { pendingRemovals, removalPending } from "./removals.ts";
import { rowCrc } from "./row-crc.ts";
import type { Sql, SqlValue } from "./statement.ts";
import { statement } from "./statement.ts";
import type { MessageRow, Tables } from "./tables.ts";

// SQLite plans a statement anew, at each run, whose limit is a parameter and nothing else: that costs more than a page.
function atMost(of: ExpressionBuilder<Tables, keyof Tables>, limit: number) {
  return of(of.val(limit), "+", of.lit(0));
}

type PageOf = { mailbox: MailboxId; after: number; upTo: number; limit: number };

function pageOf(database: Kysely<Tables>, given: PageOf) {
  return database
    .selectFrom("message")
    .where("mailbox", "=", given.mailbox)
    .where("uid", ">", given.after as Uid)
    .where("uid", "<=", given.upTo as Uid)
    .orderBy("uid")
    .limit((of) => atMost(of, given.limit));
}

/** A page of a mailbox, in order of uid. */
export const messagePage = statement("message.page", (database, given: PageOf) =>
  pageOf(database, given).select(["uid", "octets", "uidl_tag", "uidl"]),
);
/** The same with the octets as they are sent to clients without UTF8. */
export const messagePageDowngraded = statement("message.pageDowngraded", (database, given: PageOf) =>
  pageOf(database, given).select(["uid", "octets_downgraded", "uidl_tag", "uidl"]),
);
/** Messages from one on with the places of their bodies; `pending` tells that rows of the mailbox wait to be removed. */
export const messagesWithBodies = statement(
  "message.withBodies",
  (database, given: { mailbox: MailboxId; uid: Uid; limit: number }) =>
    database
      .selectFrom("message")
      .leftJoin("body", "body.id", "message.body")
      .select([
        "message.uid",
        "message.octets",
        "message.octets_downgraded",
        "message.uidl_tag",
        "message.uidl",
        "message.body",
        "message.body_key",
        "message.received",
        "message.row_crc",
        "body.segment",
        "body.offset",
        "body.octets as body_octets",
        "body.crc32",
        "body.sha256",
        "body.dotted",
        "body.refs",
        "body.sum",
      ])
      .select((of) => of.exists(removalPending(of, given.mailbox)).as("pending"))
      .where("message.mailbox", "=", given.mailbox)
      .where("message.uid", ">=", given.uid)
      .orderBy("message.uid")
      .limit((of) => atMost(of, given.limit)),
);
type PlacedBody = readonly [
  segment: SegmentId | null,
  offset: number,
  octets: number,
  crc32: number,
  // Null, as the rest then is: there is no such body.
  sha256: Uint8Array | null,
  dotted: number,
  refs: number,
  sum: number,
];
type PlacedRow = readonly [
  uid: Uid,
  octets: number,
  octetsDowngraded: number,
  uidlTag: number,
  uidl: string | null,
  body: BodyId,
  bodyKey: Uint8Array | null,
  received: number,
  rowCrc: number,
  ...body: PlacedBody,
  pending: number,
];
const PENDING = 17;

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
// Above so many ranges one scan of what they span is cheaper than a statement each.
const MOST_RANGES = 200;

/** Adds a message. */
export async function insertMessage(sql: Sql, row: Omit<MessageRow, "row_crc">): Promise<void> {
  await sql.run(insert, { ...row, row_crc: rowCrc(row) });
}

/** Adds a message that was kept apart, under names of its own; a row that was damaged stays damaged. */
export async function insertAgain(
  sql: Sql,
  kept: MessageRow,
  names: Pick<MessageRow, "uid" | "uidl_tag" | "uidl">,
): Promise<void> {
  const row = { ...kept, ...names };
  const crc = rowCrc(row);
  await sql.run(insert, { ...row, row_crc: rowCrc(kept) === kept.row_crc ? crc : (crc ^ 1) >>> 0 });
}

/** A page of a listing without what waits to be removed: see Mail.listPage. */
export async function pageOfMessages(
  sql: Sql,
  mailbox: MailboxId,
  after: number,
  upTo: number,
  limit: number,
  octetsAs: OctetsAs = "stored",
): Promise<ListingPage> {
  const wanted = octetsAs === "stored" ? messagePage : messagePageDowngraded;
  // The removals first: a message whose row is still there when the page is read was pending before that.
  const pending = await pendingRemovals(sql, mailbox);
  const rows = await sql.arrays(wanted, { mailbox, after, upTo, limit });
  if (pending.length === 0) return packed(rows);
  const kept: (readonly SqlValue[])[] = [];
  let page = rows;
  while (page.length > 0) {
    kept.push(...page.filter(([uid]) => !pending.some((set) => set.has(Number(uid)))));
    if (kept.length >= limit) break;
    const last = Number(page.at(-1)?.[0]);
    const from = pending.reduce((uid, set) => set.nextOutside(uid), last + 1);
    // A removal of a million with gaps is stepped through: others have their turn in between.
    await setImmediate();
    page = await sql.arrays(wanted, { mailbox, after: from - 1, upTo, limit });
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

/**
 * Where the bodies of a message and of those behind it lie: see Mail.locateFrom. A row that is not as it was written is
 * damage, not another message; it is told to who asks for that very message, and ends the page of who asks for one before.
 */
export async function locateMessages(
  sql: Sql,
  mailbox: MailboxId,
  uid: Uid,
  limit: number,
): Promise<readonly StoredMessage[]> {
  for (;;) {
    const rows = (await sql.arrays(messagesWithBodies, { mailbox, uid, limit })) as unknown as readonly PlacedRow[];
    const isPending = rows[0]?.[PENDING] === 1;
    const pending = isPending ? await pendingRemovals(sql, mailbox) : [];
    // It was carried out just now, and the rows may have been of it.
    if (isPending && pending.length === 0) continue;
    const found: StoredMessage[] = [];
    for (const row of rows) {
      if (pending.some((set) => set.has(row[0]))) continue;
      const message = storedMessage(mailbox, row);
      if (typeof message !== "string") found.push(message);
      else if (row[0] !== uid) break;
      else throw new StoreError("damaged", message);
    }
    return found[0]?.uid === uid ? found : [];
  }
}

/** A row of messagesWithBodies, or what is wrong with it. */
function storedMessage(mailbox: MailboxId, row: PlacedRow): StoredMessage | string {
  const [uid, octets, octets_downgraded, uidl_tag, uidl, body, body_key, received, row_crc, ...placed] = row;
  const crc = rowCrc({ mailbox, uid, octets, octets_downgraded, uidl_tag, uidl, body, body_key, received });
  if (crc !== row_crc) return `the row of message ${uid} is damaged`;
  const [segment, offset, bodyOctets, crc32, sha256, dotted, refs, sum] = placed;
  if (sha256 === null) return `message ${uid} has no body`;
  // Most of it shows when the octets are read; but whether dots are to be stuffed is said nowhere else.
  if (sumOfBody({ id: body, segment, offset, octets: bodyOctets, crc32, dotted, refs }) !== sum)
    return `the row of the body of message ${uid} is damaged`;
  const place = { body, segment, offset, octets: bodyOctets, crc32, sha256, dotted: dotted === 1 };
  return { uid, received, octetsDowngraded: octets_downgraded, place };
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
  for (let from = uids.nextInside(0); from !== undefined;) {
    const page = await sql.arrays(weights, { mailbox, after: from - 1, limit: PAGE });
    // What lies in front of the set, behind it or in a wide gap is not read.
    from = page.length < PAGE ? undefined : uids.nextInside(Number(page.at(-1)?.[0]) + 1);
    for (const [uid, octets, downgraded] of page) {
      if (!uids.has(Number(uid))) continue;
      sum.messages += 1;
      sum.octets += Number(octets);
      sum.octetsDowngraded += Number(downgraded);
    }
  }
  return sum;
}
