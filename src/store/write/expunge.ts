import type { Result } from "../../lib/result.ts";
import { ok } from "../../lib/result.ts";
import { NO_ACTOR } from "../../model/history.ts";
import type { MailboxId, Uid } from "../../model/ids.ts";
import type { RemovalCause } from "../ports.ts";
import type { Expunged, Seen } from "../removal-ports.ts";
import { goneOf } from "../removal-ports.ts";
import { insertHistory } from "../sql/history.ts";
import type { Weight } from "../sql/mailboxes.ts";
import { countRemoved, snapshotOf, uncountMessages } from "../sql/mailboxes.ts";
import { deleteMessageRows, presentUids, weighRows } from "../sql/message-removal.ts";
import { weighMessages } from "../sql/messages.ts";
import type { NewRemoval } from "../sql/removals.ts";
import { insertRemoval, pendingRemovals } from "../sql/removals.ts";
import { keepRemovedRows } from "../sql/removed-rows.ts";
import type { Sql } from "../sql/statement.ts";
import { MOST_RANGES } from "../uid-packer.ts";
import { UidSet } from "../uid-set.ts";
import { dropBodies } from "./drop-bodies.ts";
import type { UnitContext } from "./unit.ts";

/** Above so many, a removal is noted and carried out in slices (DESIGN "Many marks"). */
export const MOST_AT_ONCE = 2000;

/** Why and by whom rows go. */
type By = Omit<NewRemoval, "mailbox" | "uids">;

/** The rows of a removal: those that are there and do not already wait to be removed. */
export async function expunge(
  context: UnitContext,
  mailbox: MailboxId,
  uids: Uint32Array,
  cause?: RemovalCause,
  seen?: Seen,
): Promise<Result<Expunged, never>> {
  const { sql, now: at } = context;
  const by: By = cause === undefined ? { ...NO_ACTOR, at, kind: "", keep: false } : { ...cause, at };
  const isSeen = seen !== undefined && seen.messages > MOST_AT_ONCE && seen.messages === uids.length;
  const { weight, removed, damaged } =
    isSeen && (await isAsSeen(sql, mailbox, seen))
      ? await removeSeen(context, mailbox, seen, by)
      : await removeFound(context, mailbox, uids, by);
  const kept = damaged.length === 0 ? {} : { damaged };
  if (weight.messages === 0) return ok({ removed: 0, ...kept });
  await uncountMessages(sql, mailbox, weight);
  if (by.keep) await countRemoved(sql, mailbox, weight);
  if (cause !== undefined) await insertHistory(sql, [{ ...cause, mailbox, at, uids: removed }]);
  return ok({ removed: weight.messages, ...kept });
}

type Outcome = { readonly weight: Weight; readonly removed: UidSet; readonly damaged: readonly Uid[] };

/** What was seen is noted as it is: a scan of a million would say the same, and everybody would wait for it. */
async function removeSeen({ sql }: UnitContext, mailbox: MailboxId, seen: Seen, by: By): Promise<Outcome> {
  for (const part of seen.packed.parts) await insertRemoval(sql, { ...by, mailbox, uids: UidSet.packed(part) });
  return { weight: seen, removed: UidSet.packed(seen.packed.whole), damaged: [] };
}

/** Whether what was seen of a mailbox's messages holds now: rows never change, and none has gone since. */
async function isAsSeen(sql: Sql, mailbox: MailboxId, seen: Seen): Promise<boolean> {
  const now = await snapshotOf(sql, mailbox);
  return now !== undefined && goneOf(now) === seen.gone && seen.messages <= now.messages;
}

async function removeFound(context: UnitContext, mailbox: MailboxId, uids: Uint32Array, by: By): Promise<Outcome> {
  let set = UidSet.of(uids);
  for (const pending of await pendingRemovals(context.sql, mailbox)) set = set.minus(pending);
  const remove = set.count <= MOST_AT_ONCE ? removeNow : removeLater;
  return remove(context, mailbox, set, by);
}

async function removeNow(context: UnitContext, mailbox: MailboxId, set: UidSet, by: By): Promise<Outcome> {
  const weight = await removeRows(context, mailbox, set.toArray(), by);
  return { weight, removed: UidSet.of(Uint32Array.from(weight.uids)), damaged: weight.damaged.uids };
}

// Whether their rows are as they were written is asked before (Mail.inspect) and when they are carried out: all of them at
// once would hold everybody up.
async function removeLater({ sql }: UnitContext, mailbox: MailboxId, set: UidSet, by: By): Promise<Outcome> {
  const weight = await weighMessages(sql, mailbox, set);
  if (weight.messages === 0) return { weight, removed: set, damaged: [] };
  const removed = weight.messages === set.count ? set : await presentUids(sql, mailbox, set);
  for (const part of removed.parts(MOST_RANGES)) await insertRemoval(sql, { ...by, mailbox, uids: part });
  return { weight, removed, damaged: [] };
}

/**
 * Takes rows away, to where undelete finds them or for good; the mailbox's counters are the caller's. Rows that are damaged
 * stay: their key may be another message's, and the body that they name too.
 */
export async function removeRows(
  context: UnitContext,
  mailbox: MailboxId,
  uids: readonly number[],
  by: Pick<By, "keep" | "at" | "session" | "device">,
): Promise<Awaited<ReturnType<typeof weighRows>>> {
  const { sql } = context;
  const found = await weighRows(sql, mailbox, uids);
  if (found.messages === 0) return found;
  if (by.keep) await keepRemovedRows(sql, mailbox, found.uids, by);
  await deleteMessageRows(sql, mailbox, found.uids);
  if (!by.keep) await dropBodies(context, found.bodies);
  return found;
}
