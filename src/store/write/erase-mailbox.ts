import type { MailboxId } from "../../model/ids.ts";
import { deleteHistory } from "../sql/history.ts";
import { deleteMessageRows, messageUids } from "../sql/message-removal.ts";
import { deleteRemovedRows, removedRowsOf } from "../sql/removed-rows.ts";
import { isSound } from "../sql/row-crc.ts";
import { dropBodies } from "./drop-bodies.ts";
import { removeRows } from "./expunge.ts";
import type { UnitContext } from "./unit.ts";

/** Takes away one slice of all that lies in a mailbox whose row goes or is gone; true: nothing is left. */
export async function eraseMailbox(context: UnitContext, mailbox: MailboxId, slice: number): Promise<boolean> {
  const { sql, now: at } = context;
  let left = slice;
  const uids = await messageUids(sql, mailbox, 0, left);
  if (uids.length > 0) {
    const { damaged } = await removeRows(context, mailbox, uids, { keep: false, at, session: "", device: "" });
    // An administrator removed all of it. What a damaged row says of its body is not believed: scrub finds who has it.
    if (damaged.messages > 0) await deleteMessageRows(sql, mailbox, damaged.uids);
  }
  left -= uids.length;
  const removed = left > 0 ? await removedRowsOf(sql, mailbox, left) : [];
  if (removed.length > 0) {
    await deleteRemovedRows(sql, mailbox, removed);
    const bodies = removed.filter(isSound).map(({ body }) => body);
    await dropBodies(context, bodies);
  }
  left -= removed.length;
  if (left > 0) left -= await deleteHistory(sql, mailbox, left);
  return left > 0;
}
