import { crc32 } from "node:zlib";
import type { ExpressionBuilder } from "kysely";
import type { Actor } from "../../model/history.ts";
import type { MailboxId } from "../../model/ids.ts";
import { StoreError } from "../ports.ts";
import { UidSet } from "../uid-set.ts";
import { reserveIds } from "./high-water.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { RemovalKind, Tables } from "./tables.ts";

/** Whether removals of a mailbox wait, as part of another statement. */
export function removalPending(of: ExpressionBuilder<Tables, keyof Tables>, mailbox: MailboxId) {
  return of.selectFrom("removal").select("removal.id").where("removal.mailbox", "=", mailbox);
}

/** The removals of a mailbox that are not carried out yet. */
export const removalsOfMailbox = statement("removal.ofMailbox", (database, given: { mailbox: MailboxId }) =>
  database.selectFrom("removal").select(["id", "uids", "uids_crc"]).where("mailbox", "=", given.mailbox),
);
const oldest = statement("removal.oldest", (database) =>
  database.selectFrom("removal").selectAll().orderBy("id").limit(1),
);
const oldestKept = statement("removal.oldestKept", (database, given: { mailbox: MailboxId }) =>
  database
    .selectFrom("removal")
    .selectAll()
    .where("mailbox", "=", given.mailbox)
    .where("keep", "=", 1)
    .orderBy("id")
    .limit(1),
);
const insert = statement("removal.insert", (database, given: Tables["removal"]) =>
  database.insertInto("removal").values({
    id: given.id,
    mailbox: given.mailbox,
    uids: given.uids,
    done: given.done,
    at: given.at,
    kind: given.kind,
    session: given.session,
    device: given.device,
    peer: given.peer,
    keep: given.keep,
    uids_crc: given.uids_crc,
  }),
);
const advance = statement("removal.advance", (database, given: { id: number; done: number }) =>
  database.updateTable("removal").set({ done: given.done }).where("id", "=", given.id),
);
const remove = statement("removal.remove", (database, given: { id: number }) =>
  database.deleteFrom("removal").where("id", "=", given.id),
);
const removeOf = statement("removal.removeOf", (database, given: { mailbox: MailboxId }) =>
  database.deleteFrom("removal").where("mailbox", "=", given.mailbox),
);

/** A removal as it was asked for; `keep`: its messages go where undelete finds them. */
export type NewRemoval = Actor & {
  readonly mailbox: MailboxId;
  readonly uids: UidSet;
  readonly at: number;
  readonly kind: RemovalKind;
  readonly keep: boolean;
};

/** One that is being carried out; `done`: up to this uid. */
export type Removal = NewRemoval & { readonly id: number; readonly done: number };

/** What listings of a mailbox have to leave out. */
export async function pendingRemovals(sql: Sql, mailbox: MailboxId): Promise<readonly UidSet[]> {
  const rows = await sql.all(removalsOfMailbox, { mailbox });
  return rows.map(uidsOf);
}

/** The removal to be carried out next. */
export async function oldestRemoval(sql: Sql): Promise<Removal | undefined> {
  return removalOf(await sql.first(oldest, {}));
}

/** The next one of a mailbox whose messages undelete may bring back. */
export async function oldestKeptRemoval(sql: Sql, mailbox: MailboxId): Promise<Removal | undefined> {
  return removalOf(await sql.first(oldestKept, { mailbox }));
}

function removalOf(row: Tables["removal"] | undefined): Removal | undefined {
  return row && { ...row, uids: uidsOf(row), keep: row.keep === 1 };
}

// By a flipped bit in here messages would go that nobody marked.
function uidsOf({ id, uids, uids_crc }: Pick<Tables["removal"], "id" | "uids" | "uids_crc">): UidSet {
  if (uids_crc !== null && crc32(uids) !== uids_crc) throw new StoreError("damaged", `removal ${id} is damaged`);
  return UidSet.decode(uids);
}

/** Removes messages for everybody at once; their rows go later. */
export async function insertRemoval(sql: Sql, removal: NewRemoval): Promise<void> {
  const { mailbox, at, kind, session, device, peer } = removal;
  const id = await reserveIds(sql, "removal", 1);
  const row = { id, mailbox, at, kind, session, device, peer };
  const uids = removal.uids.encode();
  await sql.run(insert, { ...row, uids, uids_crc: crc32(uids), done: -1, keep: Number(removal.keep) });
}

/** Forgets what waits to be removed of a mailbox that is being removed as a whole. */
export async function deleteRemovals(sql: Sql, mailbox: MailboxId): Promise<void> {
  await sql.run(removeOf, { mailbox });
}

/** Notes how far a removal has been carried out. */
export async function advanceRemoval(sql: Sql, id: number, done: number): Promise<void> {
  await sql.run(advance, { id, done });
}

/** Ends a removal that was carried out. */
export async function deleteRemoval(sql: Sql, id: number): Promise<void> {
  await sql.run(remove, { id });
}
