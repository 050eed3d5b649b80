import type { MailboxId } from "../../model/ids.ts";
import { sumOfMailbox } from "../sql/mailboxes.ts";
import type { ScrubMailbox } from "../sql/scrub-rows.ts";
import type { Tables } from "../sql/tables.ts";
import { UidSet } from "../uid-set.ts";
import { HIGHEST_UID } from "../write/append.ts";
import type { CounterDifference } from "./mend.ts";
import type { Walk } from "./walk.ts";
import { atOneMoment, isCertain, isDamage, report, step } from "./walk.ts";

const COUNTERS = ["messages", "octets", "octets_downgraded", "removed_messages", "removed_octets"] as const;
const PAGE = 2000;

type Held = CounterDifference & { readonly highest: number };

/** What each mailbox counts, beside what it holds. */
export async function checkCounters(walk: Walk): Promise<void> {
  for (let row = await walk.rows.mailboxAfter(walk.state.position); row !== undefined;) {
    try {
      await checkCountersOf(walk, row, isCertain(walk));
    } catch (cause) {
      // Told when its rows were looked at.
      if (!isDamage(cause)) throw cause;
    }
    await step(walk, { position: row.id });
    row = await walk.rows.mailboxAfter(row.id);
  }
}

/**
 * The counters of one mailbox. `mends`: where all rows of the store were looked at and are sound; else the counters may be
 * right, and a row that is missed be lost.
 */
export async function checkCountersOf(walk: Walk, { id, address, name }: ScrubMailbox, mends: boolean): Promise<void> {
  const { row, held } = await atOneMoment(walk, async () => ({
    row: await walk.rows.mailboxAfter(id - 1),
    held: await whatIsHeld(walk, id),
  }));
  // Removed meanwhile.
  if (row?.id !== id) return;
  const by = {
    messages: held.messages - row.messages,
    octets: held.octets - row.octets,
    octets_downgraded: held.octets_downgraded - row.octets_downgraded,
    removed_messages: held.removed_messages - row.removed_messages,
    removed_octets: held.removed_octets - row.removed_octets,
  };
  const right = Object.values(by).every((difference) => difference === 0);
  if (right && row.sum === sumOfMailbox(row) && row.next_uid > held.highest) return;
  const itself = (await walk.rows.mailboxByName(row.account, row.name)) === id;
  const nextUid = nextUidOf(row, by, held.highest);
  const mend = mends && itself && address !== null && ({ kind: "counters", mailbox: id, by, nextUid } as const);
  const wrong = COUNTERS.filter((counter) => by[counter] !== 0);
  const detail = wrong.map((counter) => `${counter} ${row[counter]}, holds ${row[counter] + by[counter]}`).join("; ");
  const owner = address === null ? undefined : { address, mailbox: name };
  await report(walk, "counters", detail || "its numbers are not as they were written", {
    owner,
    mend: mend || undefined,
  });
}

/**
 * The next uid of a mailbox: where the row's sum says that it may be another than it is, the higher of both, for uids may skip
 * ahead and are never used twice.
 */
function nextUidOf(row: Tables["mailbox"], by: CounterDifference, highest: number): number {
  const counted = Object.values(by).reduce((sum, difference) => sum + difference, sumOfMailbox(row));
  const mayBe = [row.next_uid, row.next_uid + row.sum - counted, highest + 1];
  return Math.max(...mayBe.filter((uid) => uid > highest && uid <= HIGHEST_UID + 1));
}

async function whatIsHeld(walk: Walk, id: MailboxId): Promise<Held> {
  const here = await walk.rows.weight(id);
  const kept = await walk.rows.removedWeight(id);
  const held = {
    messages: here?.messages ?? 0,
    octets: here?.octets ?? 0,
    octets_downgraded: here?.octets_downgraded ?? 0,
    removed_messages: kept?.messages ?? 0,
    removed_octets: kept?.octets ?? 0,
    highest: Math.max(here?.highest ?? 0, kept?.highest ?? 0),
  };
  for (const removal of await walk.rows.removals(id)) {
    const gone = await weigh(walk, id, UidSet.decode(removal.uids));
    held.messages -= gone.messages;
    held.octets -= gone.octets;
    held.octets_downgraded -= gone.octets_downgraded;
    if (removal.keep === 0) continue;
    held.removed_messages += gone.messages;
    held.removed_octets += gone.octets;
  }
  return held;
}

/** What waits to be removed, of rows that are still there. */
async function weigh(walk: Walk, id: MailboxId, uids: UidSet) {
  const sum = { messages: 0, octets: 0, octets_downgraded: 0 };
  for (let after = 0; ;) {
    const page = await walk.rows.messages(id, after, PAGE);
    for (const row of page) {
      if (!uids.has(row.uid)) continue;
      sum.messages += 1;
      sum.octets += row.octets;
      sum.octets_downgraded += row.octets_downgraded;
    }
    const last = page.at(-1)?.uid;
    if (page.length < PAGE || last === undefined) return sum;
    after = last;
  }
}
