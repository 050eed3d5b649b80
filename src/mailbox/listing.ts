import { setImmediate } from "node:timers/promises";
import type { MailboxId } from "../model/ids.ts";
import type { Listing } from "../model/listing.ts";
import { type Mail, type OctetsAs, type Snapshot, StoreError } from "../store/ports.ts";

const PAGE = 2000;

/**
 * Reads the messages of a snapshot into packed arrays, a page at a time. Between pages the loop turns, so that a
 * maildrop of a million does not hold up the others (0.4 ms a page).
 */
export async function readListing(
  mail: Pick<Mail, "listPage">,
  mailbox: MailboxId,
  snapshot: Snapshot,
  stopped: () => boolean,
  octetsAs: OctetsAs = "stored",
): Promise<Listing> {
  const { messages, highestUid } = snapshot;
  const first = await mail.listPage(mailbox, 0, highestUid, PAGE, octetsAs);
  // Most maildrops are one page, which is the listing as it is.
  if (first.messages === messages && messages < PAGE) return first;

  const uids = new Uint32Array(messages);
  const octets = new Uint32Array(messages);
  const tags = new Uint32Array(messages);
  const names = new Map<number, string>();
  let count = 0;
  for (let page = first; ;) {
    if (count + page.messages > messages) throw disagreement(count + page.messages, messages);
    uids.set(page.uids, count);
    octets.set(page.octets, count);
    tags.set(page.tags, count);
    for (const [index, name] of page.names) names.set(count + index, name);
    count += page.messages;
    if (page.messages < PAGE) break;
    await setImmediate();
    if (stopped()) throw new StoreError("unavailable", "the session ended while its listing was read");
    page = await mail.listPage(mailbox, page.uids.at(-1) ?? highestUid, highestUid, PAGE, octetsAs);
  }
  if (count !== messages) throw disagreement(count, messages);
  return { messages, uids, octets, tags, names };
}

/** Whether the octets of a listing are together what was counted as the mail came. */
export function sumsUp({ octets }: Listing, snapshot: Snapshot, octetsAs: OctetsAs): boolean {
  let sum = 0;
  for (const each of octets) sum += each;
  return sum === (octetsAs === "stored" ? snapshot.octets : snapshot.octetsDowngraded);
}

// Who removes holds the lease, and what came later has a higher uid: only a damaged store can disagree with itself.
function disagreement(rows: number, counted: number): StoreError {
  return new StoreError("damaged", `the mailbox has ${rows} rows or more where ${counted} were counted`);
}

/** The index of a uid; −1: it is not in the listing. */
export function indexOfUid(uids: Uint32Array, uid: number): number {
  let low = 0;
  let high = uids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((uids[middle] ?? 0) < uid) low = middle + 1;
    else high = middle;
  }
  return uids[low] === uid ? low : -1;
}
