import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { Actor } from "../../model/history.ts";
import type { MailboxId, Uid } from "../../model/ids.ts";
import type { RemovedFilter } from "../ports.ts";
import { insertHistory } from "../sql/history.ts";
import { countMessages, nextUid, uncountRemoved } from "../sql/mailboxes.ts";
import { insertAgain } from "../sql/messages.ts";
import { deleteRemovedRows, removedRowsByKey } from "../sql/removed-rows.ts";
import { UidSet } from "../uid-set.ts";
import { HIGHEST_UID } from "./append.ts";
import { carryOutKept } from "./carry-out.ts";
import { randomTag } from "./random-tag.ts";
import { SLICE } from "./slices.ts";
import type { UnitContext } from "./unit.ts";

/** See Mail.restore. */
export async function restore(
  context: UnitContext,
  mailbox: MailboxId,
  filter: RemovedFilter,
  cause: Actor,
): Promise<Result<{ readonly restored: number; readonly more: boolean }, "no-mailbox">> {
  const { sql, now: at, plans } = context;
  const next = await nextUid(sql, mailbox);
  if (next === undefined) return err("no-mailbox");
  // What waits to be carried out is not among the removed rows yet, and might have come before them.
  if (await carryOutKept(context, mailbox)) return ok({ restored: 0, more: true });
  const plan = plans.of(mailbox, filter);
  if (!plan.whole) await plan.read(sql);
  if (!plan.whole) return ok({ restored: 0, more: true });
  const rows = await removedRowsByKey(sql, mailbox, plan.next(SLICE));
  if (plan.ended) plans.forget(mailbox, filter);
  // What came since it was made, and what a call took that was undone, is found by the next one.
  const more = !plan.ended || plan.large;
  if (rows.length === 0) return ok({ restored: 0, more });
  if (next.uid + rows.length - 1 > HIGHEST_UID) return err("no-mailbox");
  await deleteRemovedRows(sql, mailbox, rows);
  const weight = { messages: rows.length, octets: 0, octetsDowngraded: 0 };
  for (const [index, row] of rows.entries()) {
    // A UIDL is never used again (P3): also an imported message gets one that is made.
    await insertAgain(sql, row, { uid: (next.uid + index) as Uid, uidl_tag: randomTag(), uidl: null });
    weight.octets += row.octets;
    weight.octetsDowngraded += row.octets_downgraded;
  }
  await uncountRemoved(sql, mailbox, weight);
  await countMessages(sql, mailbox, weight);
  const uids = UidSet.of(Uint32Array.from(rows, ({ uid }) => uid));
  const newUids = UidSet.of(Uint32Array.from(rows, (_, index) => next.uid + index));
  const { session, device, peer } = cause;
  await insertHistory(sql, [{ mailbox, at, kind: "restored", uids, newUids, session, device, peer }]);
  return ok({ restored: rows.length, more });
}
