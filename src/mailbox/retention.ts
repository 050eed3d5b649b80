import { setImmediate } from "node:timers/promises";
import type { Clock } from "../lib/clock.ts";
import type { Account } from "../model/account.ts";
import { NO_ACTOR } from "../model/history.ts";
import type { MailboxId } from "../model/ids.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { type Store, StoreError } from "../store/ports.ts";

/** What expiry needs; the figures are asked at each turn. */
export type RetentionParts = {
  readonly store: Pick<Store, "directory" | "mail" | "leases" | "history">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** retention.expire_days, of accounts that have no figure of their own; 0: never. */
  readonly expireDays: () => number;
  /** retention.undelete_days; 0: expired is gone. */
  readonly undeleteDays: () => number;
};

const DAY_MS = 86_400_000;
const ACCOUNTS = 500;
const MESSAGES = 10_000;
const ENTRIES = 1000;

/**
 * One turn: removes, in every account, what is older than its owner's mail is kept (rule 1939-21). A maildrop in session is
 * left for the next turn, so that no session sees its messages go.
 */
export async function expireOld(parts: RetentionParts, stopping: AbortSignal): Promise<void> {
  const { directory } = parts.store;
  for (let after: Account["address"] | undefined; !stopping.aborted;) {
    const page = await directory.accounts({ ...(after === undefined ? {} : { after }), limit: ACCOUNTS });
    for (const account of page) {
      const days = account.expireDays ?? parts.expireDays();
      if (days > 0 && !stopping.aborted) await expireOf(parts, account, days, stopping);
    }
    after = page.at(-1)?.address;
    if (page.length < ACCOUNTS) return;
    await setImmediate();
  }
}

async function expireOf(parts: RetentionParts, account: Account, days: number, stopping: AbortSignal): Promise<void> {
  const before = parts.clock.now() - days * DAY_MS;
  let messages = 0;
  try {
    for (const mailbox of [account.inbox, account.junk]) {
      for (let more = true; more && !stopping.aborted;) {
        const slice = await expireSlice(parts, account, mailbox, before);
        messages += slice.removed;
        more = slice.more;
        // Others of this thread, and whoever waits for the maildrop, come in between.
        await setImmediate();
      }
    }
  } finally {
    if (messages > 0) {
      parts.metrics.counter("mailkeep_expired_messages_total").add(messages);
      parts.log.info("mail.expired", { account: account.address, messages });
    }
  }
}

type Slice = { readonly removed: number; readonly more: boolean };
const NONE: Slice = { removed: 0, more: false };

/** Removes one slice of what is old enough, unless somebody is in session. */
async function expireSlice(
  parts: RetentionParts,
  account: Account,
  mailbox: MailboxId,
  before: number,
): Promise<Slice> {
  const { mail, leases, history } = parts.store;
  // Asked without the lease, which nearly always is left alone: uids are not reused, and what a session removes before the
  // lease is there is not removed twice.
  const old = await mail.receivedBefore(mailbox, before, MESSAGES);
  if (old.length === 0) return NONE;
  // Whoever got mail back has it for as long as if it had come then.
  const broughtBack = await restoredSince(history, mailbox, before);
  const uids = old.filter((uid) => !broughtBack.has(uid));
  if (uids.length === 0) return NONE;
  const lease = await leases.acquire(mailbox, { waitMs: 0, job: true }, () => undefined);
  if (!lease.ok) return NONE;
  try {
    if (!lease.value.beginUpdate()) return NONE;
    const cause = { ...NO_ACTOR, kind: "expired", keep: parts.undeleteDays() > 0 } as const;
    const outcome = await mail.expunge(mailbox, uids, cause);
    if (!outcome.ok)
      throw new StoreError("unavailable", `expiring: ${outcome.error}`, { full: outcome.error === "full" });
    const { removed, damaged = [] } = outcome.value;
    if (damaged.length > 0) tellOfDamage(parts, account, damaged);
    // Where all that is old is damaged, there is nothing more to do.
    return { removed, more: old.length === MESSAGES && removed > 0 };
  } finally {
    lease.value.release();
  }
}

// The row's tag may be what is wrong, so its UIDL is not told.
function tellOfDamage({ log, metrics }: RetentionParts, { address }: Account, damaged: readonly number[]): void {
  metrics.counter("mailkeep_store_damaged_total").add(damaged.length);
  for (const uid of damaged)
    log.error("store.damaged", {
      account: address,
      uidl: "",
      reason: `the row of message ${uid} is damaged; it stays`,
    });
}

/** The uids under which mail was brought back at this time or later, as far as history reaches. */
async function restoredSince(
  history: Store["history"],
  mailbox: MailboxId,
  since: number,
): Promise<ReadonlySet<number>> {
  const uids = new Set<number>();
  for (let last: number | undefined; ;) {
    const page = await history.entries({
      mailbox,
      ...(last === undefined ? {} : { before: last }),
      limit: ENTRIES,
      mostUids: MESSAGES,
    });
    for (const { kind, at, newUids } of page)
      if (kind === "restored" && at >= since) newUids.forEach((uid) => uids.add(uid));
    const oldest = page.at(-1);
    if (oldest === undefined || page.length < ENTRIES || oldest.at < since) return uids;
    last = oldest.id;
  }
}
