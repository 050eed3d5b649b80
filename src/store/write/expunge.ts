import type { Result } from "../../lib/result.ts";
import { ok } from "../../lib/result.ts";
import type { MailboxId, SegmentId } from "../../model/ids.ts";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import { releaseBodies } from "../sql/bodies.ts";
import type { Weight } from "../sql/mailboxes.ts";
import { uncountMessages } from "../sql/mailboxes.ts";
import { weighMessages } from "../sql/messages.ts";
import { insertRemoval, pendingRemovals } from "../sql/removals.ts";
import { removeMessageRows } from "../sql/removed-rows.ts";
import { shrinkSegment } from "../sql/segments.ts";
import { UidSet } from "../uid-set.ts";
import type { UnitContext } from "./unit.ts";

/** Above so many, a removal is noted and carried out in slices (DESIGN "Many marks"). */
export const MOST_AT_ONCE = 2000;

/** The rows of a removal: those that are there and do not already wait to be removed. */
export async function expunge(
  context: UnitContext,
  mailbox: MailboxId,
  uids: Uint32Array,
): Promise<Result<{ readonly removed: number }, never>> {
  const { sql } = context;
  let set = UidSet.of(uids);
  for (const pending of await pendingRemovals(sql, mailbox)) set = set.minus(pending);
  let weight: Weight;
  if (set.count <= MOST_AT_ONCE) {
    weight = await removeMessages(context, mailbox, set.toArray());
  } else {
    weight = await weighMessages(sql, mailbox, set);
    if (weight.messages > 0) await insertRemoval(sql, mailbox, set);
  }
  if (weight.messages > 0) await uncountMessages(sql, mailbox, weight);
  return ok({ removed: weight.messages });
}

/** Takes away rows and what they leave without a reader; the mailbox's counters are the caller's. */
export async function removeMessages(
  context: UnitContext,
  mailbox: MailboxId,
  uids: readonly number[],
): Promise<Weight> {
  const { sql, now, effects } = context;
  const removed = await removeMessageRows(sql, mailbox, uids);
  if (removed.messages === 0) return removed;
  const dead = new Map<SegmentId, number>();
  for (const body of await releaseBodies(sql, removed.bodies)) {
    if (body.segment === null) effects.orphans.push(body.id);
    else dead.set(body.segment, (dead.get(body.segment) ?? 0) + body.octets + BODY_HEAD_OCTETS);
  }
  for (const [segment, octets] of dead) await shrinkSegment(sql, segment, octets, now);
  return removed;
}
