import type { Clock } from "../lib/clock.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Actor } from "../model/history.ts";
import type { MailboxId } from "../model/ids.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { type Mail, type RemovedFilter, StoreError, type Upkeep, type WriteFailure } from "../store/ports.ts";

/*
 * What undelete kept: brought back by an administrator, or erased for good when it is old enough or the disk is low. Neither
 * needs the lease: what is restored has new uids, above all that an open session has seen, and what was removed shows in none.
 */

/** How restoring ended early; `restored` came back before that and stays. */
export type RestoreFailure = { readonly reason: "no-mailbox" | WriteFailure; readonly restored: number };

// A step may only carry out a slice of a removal that waits; a store that gives nothing for so long never will (P9).
const MOST_EMPTY_STEPS = 20_000;

/** Brings removed messages back under new uids: all that the filter names, in steps that are each whole. */
export async function restore(
  mail: Pick<Mail, "restore">,
  mailbox: MailboxId,
  filter: RemovedFilter,
  cause: Actor,
): Promise<Result<{ readonly restored: number }, RestoreFailure>> {
  let restored = 0;
  for (let empty = 0; empty < MOST_EMPTY_STEPS;) {
    const step = await mail.restore(mailbox, filter, cause);
    if (!step.ok) return err({ reason: step.error, restored });
    restored += step.value.restored;
    if (!step.value.more) return ok({ restored });
    empty = step.value.restored === 0 ? empty + 1 : 0;
  }
  return err({ reason: "failed", restored });
}

/** What erasing needs; the figures are asked at each turn. */
export type ErasingParts = {
  readonly upkeep: Pick<Upkeep, "erase" | "reclaim" | "space">;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** retention.undelete_days */
  readonly undeleteDays: () => number;
  /** store.free_percent */
  readonly freePercent: () => number;
  /** How much is erased before the disk is looked at again; given by tests only. */
  readonly lookAfterOctets?: number;
};

/** Why removed mail is erased. */
type Reason = "age" | "space";

const DAY_MS = 86_400_000;
/** Erased before the disk is looked at again: some segments, so that some of them may go whole. */
const LOOK_AFTER_OCTETS = 64 * 1024 * 1024;
/** Passes of reclaim after it, a slice of a segment each: by then it has helped, or it will not. */
const MOST_PASSES = 1024;

/** One turn: erases what undelete has kept long enough, then, while the disk is low, the oldest of the rest. */
export async function eraseRemoved(parts: ErasingParts, stopping: AbortSignal): Promise<void> {
  await eraseByAge(parts, stopping);
  await eraseForSpace(parts, stopping);
}

async function eraseByAge(parts: ErasingParts, stopping: AbortSignal): Promise<void> {
  const before = parts.clock.now() - parts.undeleteDays() * DAY_MS;
  await audited(parts, "age", async (erase) => {
    while (!stopping.aborted && (await erase(before)).more) continue;
  });
}

async function eraseForSpace(parts: ErasingParts, stopping: AbortSignal): Promise<void> {
  let free = await freeIfLow(parts);
  if (free === undefined) return;
  await audited(parts, "space", async (erase) => {
    while (!stopping.aborted) {
      let more = true;
      // Space comes back by whole segments, so one slice of short mail frees nothing that can be seen.
      for (let octets = 0; more && octets < (parts.lookAfterOctets ?? LOOK_AFTER_OCTETS) && !stopping.aborted;) {
        // Of all there is: also what was removed this very millisecond.
        const slice = await erase(Number.MAX_SAFE_INTEGER);
        octets += slice.octets;
        more = slice.more;
      }
      await giveBack(parts, stopping);
      const now = await freeIfLow(parts);
      // What does not help is kept: something else fills the disk.
      if (!more || now === undefined || now <= (free ?? 0)) return;
      free = now;
    }
  });
}

/** The octets that are free, where they are too few; undefined: there is room. */
async function freeIfLow({ upkeep, freePercent }: ErasingParts): Promise<number | undefined> {
  const { free, total } = await upkeep.space();
  return free < (total * freePercent()) / 100 ? free : undefined;
}

/** Erased octets leave the disk only with their segments. */
async function giveBack(parts: ErasingParts, stopping: AbortSignal): Promise<void> {
  const { upkeep } = parts;
  for (let pass = 0; pass < MOST_PASSES && !stopping.aborted; pass += 1) {
    // All that is dead, whatever the clock says or said when it died.
    const { more } = await upkeep.reclaim(Number.MAX_SAFE_INTEGER);
    if (!more || (await freeIfLow(parts)) === undefined) return;
  }
}

/**
 * Gives the work a way to erase slice by slice, which tells whether there is more, and says at its end what was erased,
 * however it ended.
 */
async function audited(
  { upkeep, log, metrics }: ErasingParts,
  reason: Reason,
  work: (erase: (before: number) => Promise<{ readonly octets: number; readonly more: boolean }>) => Promise<void>,
): Promise<void> {
  let messages = 0;
  let octets = 0;
  try {
    await work(async (before) => {
      const slice = await upkeep.erase(before);
      if (!slice.ok) throw new StoreError("unavailable", `erasing: ${slice.error}`, { full: slice.error === "full" });
      messages += slice.value.messages;
      octets += slice.value.octets;
      return { octets: slice.value.octets, more: slice.value.more && slice.value.messages > 0 };
    });
  } finally {
    if (messages > 0) {
      metrics.counter("mailkeep_erased_messages_total", reason).add(messages);
      log[reason === "age" ? "info" : "warn"]("store.erased", { messages, octets, reason });
    }
  }
}
