import type { MailboxName } from "../../model/account.ts";
import type { AccountId, MailboxId, Uid } from "../../model/ids.ts";
import type { Usage } from "../../model/quota.ts";
import type { Snapshot } from "../ports.ts";
import { StoreError } from "../ports.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** What messages weigh: added to a mailbox's counters, or taken away. */
export type Weight = { readonly messages: number; readonly octets: number; readonly octetsDowngraded: number };

/** What a mailbox holds. */
const mailboxCounters = statement("mailbox.counters", (database, given: { id: MailboxId }) =>
  database.selectFrom("mailbox").selectAll().where("id", "=", given.id),
);
/** What a mailbox holds, and whether it may be opened. */
export const mailboxSnapshot = statement("mailbox.snapshot", (database, given: { id: MailboxId }) =>
  database
    .selectFrom("mailbox")
    .innerJoin("account", "account.id", "mailbox.account")
    .select([
      "account.enabled",
      "mailbox.id",
      "mailbox.account",
      "mailbox.next_uid",
      "mailbox.messages",
      "mailbox.octets",
      "mailbox.octets_downgraded",
      "mailbox.removed_messages",
      "mailbox.removed_octets",
      "mailbox.sum",
    ])
    .where("mailbox.id", "=", given.id),
);
/** What all mailboxes of an account hold together. */
export const accountUsage = statement("mailbox.usage", (database, given: { account: AccountId }) =>
  database
    .selectFrom("mailbox")
    .select((of) => [
      of.fn.sum<number | null>("messages").as("messages"),
      of.fn.sum<number | null>("octets").as("octets"),
    ])
    .where("account", "=", given.account),
);
const insert = statement(
  "mailbox.insert",
  (database, given: { id: MailboxId; account: AccountId; name: MailboxName; sum: number }) =>
    database.insertInto("mailbox").values({
      id: given.id,
      account: given.account,
      name: given.name,
      next_uid: 1,
      messages: 0,
      octets: 0,
      octets_downgraded: 0,
      removed_messages: 0,
      removed_octets: 0,
      sum: given.sum,
    }),
);
const grow = statement("mailbox.grow", (database, given: Weight & { id: MailboxId; uids: number; sum: number }) =>
  database
    .updateTable("mailbox")
    .set((of) => ({
      next_uid: of("next_uid", "+", given.uids),
      messages: of("messages", "+", given.messages),
      octets: of("octets", "+", given.octets),
      octets_downgraded: of("octets_downgraded", "+", given.octetsDowngraded),
      sum: of("sum", "+", given.sum),
    }))
    .where("id", "=", given.id),
);
const growRemoved = statement("mailbox.growRemoved", (database, given: Usage & { id: MailboxId; sum: number }) =>
  database
    .updateTable("mailbox")
    .set((of) => ({
      removed_messages: of("removed_messages", "+", given.messages),
      removed_octets: of("removed_octets", "+", given.octets),
      sum: of("sum", "+", given.sum),
    }))
    .where("id", "=", given.id),
);
/** What undelete may bring back in all mailboxes together. */
export const removedTotal = statement("mailbox.removedTotal", (database) =>
  database
    .selectFrom("mailbox")
    .select((of) => [
      of.fn.sum<number | null>("removed_messages").as("messages"),
      of.fn.sum<number | null>("removed_octets").as("octets"),
    ]),
);
const remove = statement("mailbox.remove", (database, given: { account: AccountId }) =>
  database.deleteFrom("mailbox").where("account", "=", given.account),
);

/** INBOX and Junk together, as a quota counts. */
export async function usageOf(sql: Sql, account: AccountId): Promise<Usage> {
  const row = await sql.first(accountUsage, { account });
  return { messages: row?.messages ?? 0, octets: row?.octets ?? 0 };
}

/** What a maildrop holds now; pending removals are already taken away. */
export async function snapshotOf(sql: Sql, mailbox: MailboxId): Promise<Snapshot | undefined> {
  const row = await sql.first(mailboxSnapshot, { id: mailbox });
  if (row === undefined) return undefined;
  assertSum(row);
  return {
    account: row.account,
    messages: row.messages,
    octets: row.octets,
    octetsDowngraded: row.octets_downgraded,
    highestUid: row.next_uid - 1,
    enabled: row.enabled === 1,
    removed: { messages: row.removed_messages, octets: row.removed_octets },
  };
}

/** See Upkeep.removedUsage. */
export async function removedUsageOf(sql: Sql): Promise<Usage> {
  const row = await sql.first(removedTotal, {});
  return { messages: row?.messages ?? 0, octets: row?.octets ?? 0 };
}

/** The next uid of a mailbox and whose it is. */
export async function nextUid(
  sql: Sql,
  mailbox: MailboxId,
): Promise<{ readonly account: AccountId; readonly uid: Uid } | undefined> {
  const row = await sql.first(mailboxCounters, { id: mailbox });
  if (row === undefined) return undefined;
  assertSum(row);
  return { account: row.account, uid: row.next_uid as Uid };
}

/** Makes an empty mailbox. */
export async function insertMailbox(sql: Sql, id: MailboxId, account: AccountId, name: MailboxName): Promise<void> {
  await sql.run(insert, { id, account, name, sum: id + account + 1 });
}

/** Counts one message more and takes its uid. */
export async function countMessage(sql: Sql, mailbox: MailboxId, octets: number, downgraded: number): Promise<void> {
  await countMessages(sql, mailbox, { messages: 1, octets, octetsDowngraded: downgraded });
}

/** Counts messages that came back, and takes their uids. */
export async function countMessages(sql: Sql, mailbox: MailboxId, weight: Weight): Promise<void> {
  await growBy(sql, mailbox, weight, weight.messages);
}

/** Counts what undelete may bring back now. */
export async function countRemoved(sql: Sql, mailbox: MailboxId, { messages, octets }: Usage): Promise<void> {
  await sql.run(growRemoved, { id: mailbox, messages, octets, sum: messages + octets });
}

/** Takes off what it can bring back no more. */
export async function uncountRemoved(sql: Sql, mailbox: MailboxId, { messages, octets }: Usage): Promise<void> {
  await countRemoved(sql, mailbox, { messages: -messages, octets: -octets });
}

/** Takes the weight of removed messages off. */
export async function uncountMessages(sql: Sql, mailbox: MailboxId, weight: Weight): Promise<void> {
  const { messages, octets, octetsDowngraded } = weight;
  await growBy(sql, mailbox, { messages: -messages, octets: -octets, octetsDowngraded: -octetsDowngraded }, 0);
}

async function growBy(sql: Sql, id: MailboxId, weight: Weight, uids: number): Promise<void> {
  const { messages, octets, octetsDowngraded } = weight;
  const sum = uids + messages + octets + octetsDowngraded;
  await sql.run(grow, { id, uids, messages, octets, octetsDowngraded, sum });
}

/** What the numbers of a mailbox's row are together. */
export function sumOfMailbox(row: Omit<Tables["mailbox"], "name" | "sum">): number {
  const { id, account, next_uid, messages, octets, octets_downgraded, removed_messages, removed_octets } = row;
  return id + account + next_uid + messages + octets + octets_downgraded + removed_messages + removed_octets;
}

// A mailbox whose figures cannot be believed is shown to nobody, and gives no uid away: it might be one that was used.
function assertSum(row: Omit<Tables["mailbox"], "name">): void {
  if (sumOfMailbox(row) !== row.sum) throw new StoreError("damaged", `the counters of mailbox ${row.id} are damaged`);
}

/** Removes all mailboxes of an account. */
export async function deleteMailboxes(sql: Sql, account: AccountId): Promise<void> {
  await sql.run(remove, { account });
}
