import { setImmediate } from "node:timers/promises";
import type { MailboxId, Uid } from "../model/ids.ts";
import type { Mail } from "../store/ports.ts";

// Some 2 ms of a loop.
const ROWS_AT_ONCE = 1000;

/** The messages with `after` < uid ≤ `upTo` whose rows are not as they were written; others have their turn in between. */
export async function findDamaged(
  mail: Pick<Mail, "damagedRows">,
  mailbox: MailboxId,
  after: number,
  upTo: number,
): Promise<readonly Uid[]> {
  const found: Uid[] = [];
  let from: number | undefined = after;
  while (from !== undefined) {
    const { damaged, last } = await mail.damagedRows(mailbox, from, upTo, ROWS_AT_ONCE);
    found.push(...damaged);
    from = last;
    await setImmediate();
  }
  return found;
}
