import type { Result } from "../../lib/result.ts";
import { ok } from "../../lib/result.ts";
import { NO_ACTOR } from "../../model/history.ts";
import type { MailboxId } from "../../model/ids.ts";
import type { NewEntry } from "../sql/history.ts";
import { forgetHistory, insertHistory } from "../sql/history.ts";
import { noteTime as setLastTime } from "../sql/high-water.ts";
import { forgetKnownPlaces } from "../sql/known-places.ts";
import { uncountRemoved } from "../sql/mailboxes.ts";
import type { RemovedRow } from "../sql/tables.ts";
import { deleteRemovedRows, oldestRemovedRows } from "../sql/removed-rows.ts";
import { isSound } from "../sql/row-crc.ts";
import { UidSet } from "../uid-set.ts";
import { dropBodies } from "./drop-bodies.ts";
import { SLICE } from "./slices.ts";
import type { UnitContext } from "./unit.ts";

/** See Upkeep.erase. */
export async function erase(
  context: UnitContext,
  removedBefore: number,
): Promise<Result<{ readonly messages: number; readonly octets: number; readonly more: boolean }, never>> {
  const { sql, now: at } = context;
  const found = await oldestRemovedRows(sql, removedBefore, SLICE);
  // A row that is damaged may name another message's body: it stays, for scrub to tell of.
  const rows = found.filter(isSound);
  const entries: NewEntry[] = [];
  let erased = 0;
  for (const [mailbox, of] of byMailbox(rows)) {
    await deleteRemovedRows(sql, mailbox, of);
    const octets = of.reduce((sum, row) => sum + row.octets, 0);
    await uncountRemoved(sql, mailbox, { messages: of.length, octets });
    const uids = UidSet.of(Uint32Array.from(of, ({ uid }) => uid));
    entries.push({ ...NO_ACTOR, mailbox, at, kind: "erased", uids });
    erased += octets;
  }
  const bodies = rows.map(({ body }) => body);
  if (bodies.length > 0) await dropBodies(context, bodies);
  await insertHistory(sql, entries);
  return ok({ messages: rows.length, octets: erased, more: found.length === SLICE });
}

function byMailbox(rows: readonly RemovedRow[]): Map<MailboxId, RemovedRow[]> {
  return Map.groupBy(rows, ({ mailbox }) => mailbox);
}

/** See Upkeep.forget. */
export async function forget(
  { sql }: UnitContext,
  before: { readonly history: number; readonly places: number },
): Promise<Result<{ readonly more: boolean }, never>> {
  const entries = await forgetHistory(sql, before.history, SLICE);
  const places = await forgetKnownPlaces(sql, before.places, SLICE);
  return ok({ more: entries === SLICE || places === SLICE });
}

/** See Upkeep.noteTime. */
export async function noteTime({ sql }: UnitContext, at: number): Promise<Result<void, never>> {
  await setLastTime(sql, at);
  return ok(undefined);
}
