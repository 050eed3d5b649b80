import { advanceRemoval, deleteRemoval, oldestRemoval } from "../sql/removals.ts";
import { messageUids } from "../sql/removed-rows.ts";
import { MOST_AT_ONCE, removeMessages } from "./expunge.ts";
import type { UnitContext } from "./unit.ts";

/** Carries out one slice of the oldest pending removal; false: there is none. */
export async function carryOutRemoval(context: UnitContext): Promise<boolean> {
  const { sql } = context;
  const removal = await oldestRemoval(sql);
  if (removal === undefined) return false;
  const { id, mailbox, uids, done } = removal;
  const chosen: number[] = [];
  let from: number | undefined = uids.nextInside(done + 1);
  while (from !== undefined && chosen.length < MOST_AT_ONCE) {
    const page = await messageUids(sql, mailbox, from, MOST_AT_ONCE - chosen.length);
    const last = page.at(-1);
    chosen.push(...page.filter((uid) => uids.has(uid)));
    from = last === undefined ? undefined : uids.nextInside(last + 1);
  }
  // The mailbox's counters went down when the removal was noted.
  if (chosen.length > 0) await removeMessages(context, mailbox, chosen);
  if (from === undefined) await deleteRemoval(sql, id);
  else await advanceRemoval(sql, id, from - 1);
  return true;
}
