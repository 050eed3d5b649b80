import { createHash } from "node:crypto";
import type { BodyId, MailboxId, Uid } from "../../model/ids.ts";
import { uidl } from "../../model/message.ts";
import type { BodyPlace } from "../ports.ts";
import type { RowsConnection, Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** What must be the same before and after a migration. */
export type Picture = {
  readonly accounts: number;
  readonly mailboxes: number;
  readonly messages: number;
  readonly octets: number;
  /** What undelete may bring back. */
  readonly removed: number;
  readonly bodies: number;
  /** What the mailboxes' own counters say, and the uids that they will give next, added up. */
  readonly counted: { readonly messages: number; readonly octets: number; readonly nextUids: number };
  /** SHA-256 over mailbox, uid, UIDL, octets and the body's digest of every message, in order; in hex. */
  readonly digest: string;
};

const ROWS_AT_ONCE = 5000;

// Only what the first schema had already, but for `removed`.
const countAll = statement("picture.count", (database) =>
  database.selectNoFrom((of) => [
    of.selectFrom("account").select(of.fn.countAll<number>().as("count")).as("accounts"),
    of.selectFrom("mailbox").select(of.fn.countAll<number>().as("count")).as("mailboxes"),
    of.selectFrom("message").select(of.fn.countAll<number>().as("count")).as("messages"),
    of.selectFrom("body").select(of.fn.countAll<number>().as("count")).as("bodies"),
    of
      .selectFrom("mailbox")
      .select((mailbox) => mailbox.fn.sum<number | null>("messages").as("sum"))
      .as("countedMessages"),
    of
      .selectFrom("mailbox")
      .select((mailbox) => mailbox.fn.sum<number | null>("octets").as("sum"))
      .as("countedOctets"),
    of
      .selectFrom("mailbox")
      .select((mailbox) => mailbox.fn.sum<number | null>("next_uid").as("sum"))
      .as("nextUids"),
  ]),
);
const countRemoved = statement("picture.removed", (database) =>
  database.selectFrom("removed").select((of) => of.fn.countAll<number>().as("count")),
);
const nextMessages = statement("picture.messages", (database, given: { mailbox: MailboxId; uid: Uid; limit: number }) =>
  database
    .selectFrom("message")
    .leftJoin("body", "body.id", "message.body")
    .select([
      "message.mailbox",
      "message.uid",
      "message.octets",
      "message.uidl_tag",
      "message.uidl",
      "body.sha256",
      "body.octets as body_octets",
    ])
    .where((of) => of(of.refTuple("message.mailbox", "message.uid"), ">", of.tuple(given.mailbox, given.uid)))
    .orderBy("message.mailbox")
    .orderBy("message.uid")
    .limit(given.limit),
);
const nextBodies = statement("picture.bodies", (database, given: { from: BodyId; limit: number }) =>
  database.selectFrom("body").selectAll().where("id", ">=", given.from).orderBy("id").limit(given.limit),
);
const lastBody = statement("picture.lastBody", (database) =>
  database.selectFrom("body").select((of) => [of.fn.min("id").as("first"), of.fn.max("id").as("last")]),
);

/** Counts and digests what is there, whatever the schema; tells how far it is. */
export async function takePicture(
  sql: RowsConnection,
  progress: (done: number, total: number) => void,
): Promise<Picture> {
  const counts = await sql.first(countAll, {});
  if (counts === undefined) throw new Error("a count has a row");
  const { accounts, mailboxes, messages, bodies } = counts;
  const kept = sql.query("select name from sqlite_schema where type = 'table' and name = 'removed'").length > 0;
  const removed = kept ? ((await sql.first(countRemoved, {}))?.count ?? 0) : 0;
  const counted = {
    messages: counts.countedMessages ?? 0,
    octets: counts.countedOctets ?? 0,
    nextUids: counts.nextUids ?? 0,
  };
  const { octets, digest } = await digestMessages(sql, (done) => progress(done, Number(messages)));
  return {
    accounts: accounts ?? 0,
    mailboxes: mailboxes ?? 0,
    messages: messages ?? 0,
    octets,
    removed,
    bodies: bodies ?? 0,
    counted,
    digest,
  };
}

async function digestMessages(
  sql: Sql,
  progress: (done: number) => void,
): Promise<{ readonly octets: number; readonly digest: string }> {
  const hash = createHash("sha256");
  let [mailbox, uid] = [0 as MailboxId, 0 as Uid];
  let octets = 0;
  for (let done = 0; ;) {
    const rows = await sql.all(nextMessages, { mailbox, uid, limit: ROWS_AT_ONCE });
    for (const row of rows) {
      const digest = row.sha256 === null ? "none" : Buffer.from(row.sha256).toString("hex");
      const name = row.uidl ?? uidl(row.uid, row.uidl_tag);
      hash.update(`${row.mailbox} ${row.uid} ${name} ${row.octets} ${row.body_octets} ${digest}\n`);
      octets += row.octets;
      ({ mailbox, uid } = row);
    }
    done += rows.length;
    progress(done);
    if (rows.length < ROWS_AT_ONCE) return { octets, digest: hash.digest("hex") };
  }
}

/** Bodies from an id on. */
export async function bodiesFrom(sql: Sql, from: number, limit: number): Promise<readonly BodyPlace[]> {
  return (await sql.all(nextBodies, { from: from as BodyId, limit })).map(placeOf);
}

/** The lowest and the highest id of a body; undefined: there is none. */
export async function bodyRange(sql: Sql): Promise<{ readonly first: number; readonly last: number } | undefined> {
  const row = await sql.first(lastBody, {});
  return row === undefined || row.last === null ? undefined : row;
}

function placeOf({ id, segment, offset, octets, crc32, sha256, dotted }: Tables["body"]): BodyPlace {
  return { body: id, segment, offset, octets, crc32, sha256, dotted: dotted !== 0 };
}
