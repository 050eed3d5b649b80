import type { ExpressionBuilder } from "kysely";
import type { MailboxId } from "../../model/ids.ts";
import { UidSet } from "../uid-set.ts";
import { reserveIds } from "./high-water.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** Whether removals of a mailbox wait, as part of another statement. */
export function removalPending(of: ExpressionBuilder<Tables, keyof Tables>, mailbox: MailboxId) {
  return of.selectFrom("removal").select("removal.id").where("removal.mailbox", "=", mailbox);
}

/** The removals of a mailbox that are not carried out yet. */
export const removalsOfMailbox = statement("removal.ofMailbox", (database, given: { mailbox: MailboxId }) =>
  database.selectFrom("removal").select("uids").where("mailbox", "=", given.mailbox),
);
const oldest = statement("removal.oldest", (database) =>
  database.selectFrom("removal").selectAll().orderBy("id").limit(1),
);
const insert = statement("removal.insert", (database, given: Tables["removal"]) =>
  database.insertInto("removal").values({ id: given.id, mailbox: given.mailbox, uids: given.uids, done: given.done }),
);
const advance = statement("removal.advance", (database, given: { id: number; done: number }) =>
  database.updateTable("removal").set({ done: given.done }).where("id", "=", given.id),
);
const remove = statement("removal.remove", (database, given: { id: number }) =>
  database.deleteFrom("removal").where("id", "=", given.id),
);

/** A removal that is being carried out; `done`: up to this uid. */
export type Removal = {
  readonly id: number;
  readonly mailbox: MailboxId;
  readonly uids: UidSet;
  readonly done: number;
};

/** What listings of a mailbox have to leave out. */
export async function pendingRemovals(sql: Sql, mailbox: MailboxId): Promise<readonly UidSet[]> {
  const rows = await sql.all(removalsOfMailbox, { mailbox });
  return rows.map((row) => UidSet.decode(row.uids));
}

/** The removal to be carried out next. */
export async function oldestRemoval(sql: Sql): Promise<Removal | undefined> {
  const row = await sql.first(oldest, {});
  return row === undefined ? undefined : { ...row, uids: UidSet.decode(row.uids) };
}

/** Removes messages for everybody at once; their rows go later. */
export async function insertRemoval(sql: Sql, mailbox: MailboxId, uids: UidSet): Promise<void> {
  const id = await reserveIds(sql, "removal", 1);
  await sql.run(insert, { id, mailbox, uids: uids.encode(), done: -1 });
}

/** Notes how far a removal has been carried out. */
export async function advanceRemoval(sql: Sql, id: number, done: number): Promise<void> {
  await sql.run(advance, { id, done });
}

/** Ends a removal that was carried out. */
export async function deleteRemoval(sql: Sql, id: number): Promise<void> {
  await sql.run(remove, { id });
}
