import type { MailboxId } from "../../model/ids.ts";
import { deleteHistory } from "../sql/history.ts";
import { messageUids } from "../sql/message-removal.ts";
import { deleteRemovedRows, removedRowsOf } from "../sql/removed-rows.ts";
import { dropBodies } from "./drop-bodies.ts";
import { removeRows } from "./expunge.ts";
import type { UnitContext } from "./unit.ts";

/** Takes away one slice of all that lies in a mailbox whose row goes or is gone; true: nothing is left. */
export async function eraseMailbox(context: UnitContext, mailbox: MailboxId, slice: number): Promise<boolean> {
  const { sql, now: at } = context;
  let left = slice;
  const uids = await messageUids(sql, mailbox, 0, left);
  if (uids.length > 0) await removeRows(context, mailbox, uids, { keep: false, at, session: "", device: "" });
  left -= uids.length;
  const removed = left > 0 ? await removedRowsOf(sql, mailbox, left) : [];
  if (removed.length > 0) {
    await deleteRemovedRows(sql, mailbox, removed);
    const bodies = removed.map(({ body }) => body);
    await dropBodies(context, bodies);
  }
  left -= removed.length;
  if (left > 0) left -= await deleteHistory(sql, mailbox, left);
  return left > 0;
}
