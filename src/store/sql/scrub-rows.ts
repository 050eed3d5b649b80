import type { MailboxName } from "../../model/account.ts";
import type { Address } from "../../model/address.ts";
import type { BodyId, MailboxId, SegmentId, Uid } from "../../model/ids.ts";
import { numbersIn } from "./numbers.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { MessageRow, RemovedRow, Tables } from "./tables.ts";

// What a scrub asks. All of it is for one connection of its own, whose thread nobody else waits for.

const mailboxAfter = statement("scrub.mailboxAfter", (database, given: { after: number }) =>
  database
    .selectFrom("mailbox")
    .leftJoin("account", "account.id", "mailbox.account")
    .selectAll("mailbox")
    .select("account.address")
    .where("mailbox.id", ">", given.after as MailboxId)
    .orderBy("mailbox.id")
    .limit(1),
);
const mailboxByName = statement("scrub.mailboxByName", (database, given: { account: number; name: string }) =>
  database
    .selectFrom("mailbox")
    .select("id")
    .where("account", "=", given.account as Tables["mailbox"]["account"])
    .where("name", "=", given.name as MailboxName),
);
const messagePage = statement(
  "scrub.messages",
  (database, given: { mailbox: MailboxId; after: number; limit: number }) =>
    database
      .selectFrom("message")
      .selectAll()
      .where("mailbox", "=", given.mailbox)
      .where("uid", ">", given.after as Uid)
      .orderBy("uid")
      .limit(given.limit),
);
const removedPage = statement(
  "scrub.removed",
  (database, given: { mailbox: MailboxId; at: number; uid: number; limit: number }) =>
    database
      .selectFrom("removed")
      .selectAll()
      .where("mailbox", "=", given.mailbox)
      .where((of) => of(of.refTuple("at", "uid"), ">", of.tuple(given.at, given.uid as Uid)))
      .orderBy("at")
      .orderBy("uid")
      .limit(given.limit),
);
const bodiesById = statement("scrub.bodies", (database, given: { ids: string }) =>
  database.selectFrom("body").selectAll().where("id", "in", numbersIn(given.ids)),
);
const bodyPage = statement("scrub.bodyPage", (database, given: { after: number; limit: number }) =>
  database
    .selectFrom("body")
    .selectAll()
    .where("id", ">", given.after as BodyId)
    .orderBy("id")
    .limit(given.limit),
);
const bodyTotals = statement("scrub.bodyTotals", (database) =>
  database
    .selectFrom("body")
    .select((of) => [of.fn.countAll<number>().as("bodies"), of.fn.sum<number | null>("octets").as("octets")]),
);
const messagesOf = statement("scrub.messagesOf", (database, given: { ids: string }) =>
  database.selectFrom("message").selectAll().where("body", "in", numbersIn(given.ids)).limit(SHOWN),
);
const removedOf = statement("scrub.removedOf", (database, given: { ids: string }) =>
  database.selectFrom("removed").selectAll().where("body", "in", numbersIn(given.ids)).limit(SHOWN),
);
const oneRemoved = statement("scrub.removals", (database, given: { mailbox: MailboxId }) =>
  database.selectFrom("removal").selectAll().where("mailbox", "=", given.mailbox),
);
const removalsWaiting = statement("scrub.removalsWaiting", (database) =>
  database.selectFrom("removal").select(["mailbox", "kind"]),
);
const weight = statement("scrub.weight", (database, given: { mailbox: MailboxId }) =>
  database
    .selectFrom("message")
    .select((of) => [
      of.fn.countAll<number>().as("messages"),
      of.fn.sum<number | null>("octets").as("octets"),
      of.fn.sum<number | null>("octets_downgraded").as("octets_downgraded"),
      of.fn.max<number | null>("uid").as("highest"),
    ])
    .where("mailbox", "=", given.mailbox),
);
const removedWeight = statement("scrub.removedWeight", (database, given: { mailbox: MailboxId }) =>
  database
    .selectFrom("removed")
    .select((of) => [
      of.fn.countAll<number>().as("messages"),
      of.fn.sum<number | null>("octets").as("octets"),
      of.fn.max<number | null>("uid").as("highest"),
    ])
    .where("mailbox", "=", given.mailbox),
);
const lowestMailbox = statement("scrub.lowestMailbox", (database, given: { after: number }) =>
  database
    .selectFrom("message")
    .select((of) => of.fn.min<number | null>("mailbox").as("mailbox"))
    .where("mailbox", ">", given.after as MailboxId),
);
/** Bodies that are counted other than they are shown, of a range of ids; one statement, so all from one moment. */
const miscounted = statement("scrub.miscounted", (database, given: { first: number; last: number }) =>
  database
    .with("shown", (of) =>
      of
        .selectFrom("message")
        .select("body")
        .where("body", ">=", given.first as BodyId)
        .where("body", "<=", given.last as BodyId)
        .unionAll(
          of
            .selectFrom("removed")
            .select("body")
            .where("body", ">=", given.first as BodyId)
            .where("body", "<=", given.last as BodyId),
        ),
    )
    .with("counted", (of) =>
      of
        .selectFrom("shown")
        .select((each) => ["body", each.fn.countAll<number>().as("times")])
        .groupBy("body"),
    )
    .selectFrom("body")
    .leftJoin("counted", "counted.body", "body.id")
    .select((of) => ["body.id", "body.refs", of.fn.coalesce("counted.times", of.lit(0)).as("times")])
    .where("body.id", ">=", given.first as BodyId)
    .where("body.id", "<=", given.last as BodyId)
    .where((of) => of("body.refs", "<>", of.fn.coalesce("counted.times", of.lit(0))))
    .limit(SHOWN),
);
const highestBody = statement("scrub.highestBody", (database) =>
  database.selectFrom("body").select((of) => of.fn.max<number | null>("id").as("id")),
);
/** What lives in each segment by its bodies, beside what it counts; one moment. */
const segments = statement("scrub.segments", (database, given: { head: number }) =>
  database
    .with("lives", (of) =>
      of
        .selectFrom("body")
        .select((each) => ["segment", each.fn.sum<number>(each("octets", "+", each.val(given.head))).as("octets")])
        .where("segment", "is not", null)
        .groupBy("segment"),
    )
    .selectFrom("lives")
    .fullJoin("segment", "segment.id", "lives.segment")
    .select(["lives.segment as named", "lives.octets", "segment.id", "segment.live", "segment.sealed"]),
);

// Of so many messages it is told that they show a damaged body.
const SHOWN = 1000;

/** A mailbox with whose it is. */
export type ScrubMailbox = Tables["mailbox"] & { readonly address: Address | null };

/** The statements of a scrub, over its own connection. */
export function scrubRows(sql: Sql) {
  const ids = (bodies: readonly BodyId[]): { ids: string } => ({ ids: JSON.stringify(bodies) });
  return {
    mailboxAfter: (after: number): Promise<ScrubMailbox | undefined> => sql.first(mailboxAfter, { after }),
    mailboxByName: async (account: number, name: string) => (await sql.first(mailboxByName, { account, name }))?.id,
    messages: (mailbox: MailboxId, after: number, limit: number): Promise<readonly MessageRow[]> =>
      sql.all(messagePage, { mailbox, after, limit }),
    removed: (mailbox: MailboxId, from: { at: number; uid: number }, limit: number): Promise<readonly RemovedRow[]> =>
      sql.all(removedPage, { mailbox, ...from, limit }),
    bodies: (bodies: readonly BodyId[]): Promise<readonly Tables["body"][]> => sql.all(bodiesById, ids(bodies)),
    bodyPage: (after: number, limit: number): Promise<readonly Tables["body"][]> => sql.all(bodyPage, { after, limit }),
    bodyTotals: async () => {
      const row = await sql.first(bodyTotals, {});
      return { bodies: row?.bodies ?? 0, octets: row?.octets ?? 0 };
    },
    showing: async (bodies: readonly BodyId[]): Promise<readonly (MessageRow | RemovedRow)[]> => [
      ...(await sql.all(messagesOf, ids(bodies))),
      ...(await sql.all(removedOf, ids(bodies))),
    ],
    removals: (mailbox: MailboxId) => sql.all(oneRemoved, { mailbox }),
    removalsWaiting: () => sql.all(removalsWaiting, {}),
    weight: (mailbox: MailboxId) => sql.first(weight, { mailbox }),
    removedWeight: (mailbox: MailboxId) => sql.first(removedWeight, { mailbox }),
    nextMailboxOfMessages: async (after: number) =>
      ((await sql.first(lowestMailbox, { after }))?.mailbox as MailboxId | null) ?? undefined,
    miscounted: (first: number, last: number) => sql.all(miscounted, { first, last }),
    highestBody: async () => (await sql.first(highestBody, {}))?.id ?? 0,
    segments: (
      head: number,
    ): Promise<
      readonly {
        readonly named: SegmentId | null;
        readonly octets: number | null;
        readonly id: SegmentId | null;
        readonly live: number | null;
        readonly sealed: number | null;
      }[]
    > => sql.all(segments, { head }),
  };
}

export type ScrubRows = ReturnType<typeof scrubRows>;
