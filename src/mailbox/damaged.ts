import { setImmediate } from "node:timers/promises";
import type { MailboxId, Uid } from "../model/ids.ts";
import type { Mail } from "../store/ports.ts";
import type { Inspected, Seen } from "../store/removal-ports.ts";
import { UidPacker } from "../store/uid-packer.ts";
import { indexOfUid } from "./listing.ts";

// Some 2 ms of a loop.
const ROWS_AT_ONCE = 1000;

/** The messages with `after` < uid ≤ `upTo` whose rows are not as they were written; others have their turn in between. */
export async function findDamaged(
  mail: Pick<Mail, "inspect">,
  mailbox: MailboxId,
  after: number,
  upTo: number,
): Promise<readonly Uid[]> {
  const found: Uid[] = [];
  let from: number | undefined = after;
  while (from !== undefined) {
    const { damaged, last } = await mail.inspect(mailbox, from, upTo, ROWS_AT_ONCE);
    found.push(...damaged);
    from = last;
    await setImmediate();
  }
  return found;
}

/** What a look at messages that are to be removed found. */
export type Look = {
  /** Those that may go: all but the damaged ones. */
  readonly sound: Uint32Array;
  readonly damaged: readonly Uid[];
  /** What the sound ones weigh that are there, and these as the store keeps them. */
  readonly seen: Omit<Seen, "gone">;
};

/**
 * Looks at the rows of many messages (uids ascending) before the store is asked to remove them, a page at a time: it would
 * otherwise look at all of them in one turn, and everybody would wait.
 */
export async function lookAt(mail: Pick<Mail, "inspect">, mailbox: MailboxId, uids: Uint32Array): Promise<Look> {
  const look = new Looking(uids);
  for (let after = look.after; after !== undefined; after = look.after) {
    look.take(await mail.inspect(mailbox, after, uids.at(-1) ?? 0, ROWS_AT_ONCE));
    await setImmediate();
  }
  return look.end();
}

class Looking {
  readonly #uids: Uint32Array;
  readonly #damaged = new Set<Uid>();
  readonly #weight = { messages: 0, octets: 0, octetsDowngraded: 0 };
  readonly #packer = new UidPacker();
  // The first that was not looked at.
  #at = 0;

  constructor(uids: Uint32Array) {
    this.#uids = uids;
  }

  /** What the next page is behind: messages that are not to be removed are stepped over; undefined: it came to the end. */
  get after(): number | undefined {
    const next = this.#uids[this.#at];
    return next === undefined ? undefined : next - 1;
  }

  end(): Look {
    const damaged = this.#damaged;
    const sound = damaged.size === 0 ? this.#uids : this.#uids.filter((uid) => !damaged.has(uid as Uid));
    return { sound, damaged: [...damaged], seen: { ...this.#weight, packed: this.#packer.finish() } };
  }

  take({ damaged, uids, octets, octetsDowngraded, last }: Inspected): void {
    const wanted = this.#uids;
    const weight = this.#weight;
    let at = this.#at;
    for (let index = 0; index < uids.length; index += 1) {
      const uid = uids[index] ?? 0;
      while (at < wanted.length && (wanted[at] ?? 0) < uid) at += 1;
      if (wanted[at] !== uid) continue;
      this.#packer.add(uid);
      weight.messages += 1;
      weight.octets += octets[index] ?? 0;
      weight.octetsDowngraded += octetsDowngraded[index] ?? 0;
    }
    for (const uid of damaged) if (indexOfUid(wanted, uid) >= 0) this.#damaged.add(uid);
    const end = last ?? wanted.at(-1) ?? 0;
    while (at < wanted.length && (wanted[at] ?? 0) <= end) at += 1;
    this.#at = at;
  }
}
