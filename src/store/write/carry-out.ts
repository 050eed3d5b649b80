import type { MailboxId } from "../../model/ids.ts";
import type { Weight } from "../sql/mailboxes.ts";
import { uncountMessages, uncountRemoved } from "../sql/mailboxes.ts";
import { messageUids } from "../sql/message-removal.ts";
import type { Removal } from "../sql/removals.ts";
import { advanceRemoval, deleteRemoval, oldestKeptRemoval, oldestRemoval } from "../sql/removals.ts";
import { SLICE } from "./slices.ts";
import { eraseMailbox } from "./erase-mailbox.ts";
import { removeRows } from "./expunge.ts";
import type { UnitContext } from "./unit.ts";

/** Carries out one slice of the oldest pending removal; false: there is none. */
export async function carryOutRemoval(context: UnitContext): Promise<boolean> {
  return carryOut(context, await oldestRemoval(context.sql));
}

/** The same for a mailbox whose messages are asked back; false: none of them waits. */
export async function carryOutKept(context: UnitContext, mailbox: MailboxId): Promise<boolean> {
  return carryOut(context, await oldestKeptRemoval(context.sql, mailbox));
}

async function carryOut(context: UnitContext, removal: Removal | undefined): Promise<boolean> {
  if (removal === undefined) return false;
  const { sql } = context;
  if (removal.kind === "account") {
    const done = await eraseMailbox(context, removal.mailbox, SLICE);
    if (done) await deleteRemoval(sql, removal.id);
    return true;
  }
  const { chosen, from } = await nextSlice(context, removal);
  // The mailbox's counters and its history changed when the removal was noted.
  if (chosen.length > 0) {
    const { damaged } = await removeRows(context, removal.mailbox, chosen, removal);
    if (damaged.messages > 0) await takeBack(context, removal, damaged);
  }
  if (from === undefined) await deleteRemoval(sql, removal.id);
  else await advanceRemoval(sql, removal.id, from - 1);
  return true;
}

/** Rows that rotted since the removal was noted are messages of the mailbox again: nothing is removed by what they say. */
async function takeBack({ sql }: UnitContext, { mailbox, keep }: Removal, damaged: Weight): Promise<void> {
  const { messages, octets, octetsDowngraded } = damaged;
  await uncountMessages(sql, mailbox, {
    messages: -messages,
    octets: -octets,
    octetsDowngraded: -octetsDowngraded,
  });
  if (keep) await uncountRemoved(sql, mailbox, damaged);
}

async function nextSlice(
  { sql }: UnitContext,
  { mailbox, uids, done }: Removal,
): Promise<{ readonly chosen: readonly number[]; readonly from: number | undefined }> {
  const chosen: number[] = [];
  let from: number | undefined = uids.nextInside(done + 1);
  while (from !== undefined && chosen.length < SLICE) {
    const page = await messageUids(sql, mailbox, from, SLICE - chosen.length);
    const last = page.at(-1);
    chosen.push(...page.filter((uid) => uids.has(uid)));
    from = last === undefined ? undefined : uids.nextInside(last + 1);
  }
  return { chosen, from };
}
