import type { Result } from "../../lib/result.ts";
import { ok } from "../../lib/result.ts";
import type { Transfer } from "../../model/history.ts";
import type { NewEntry } from "../sql/history.ts";
import { insertHistory } from "../sql/history.ts";
import { UidSet } from "../uid-set.ts";
import type { UnitContext } from "./unit.ts";

/** See History.note. What one session fetched since the last time is one entry, unless it fetched a message twice. */
export async function note({ sql }: UnitContext, transfers: readonly Transfer[]): Promise<Result<void, never>> {
  const groups: Map<number, Transfer>[] = [];
  const latest = new Map<string, Map<number, Transfer>>();
  for (const transfer of transfers) {
    const { mailbox, kind, session, device, peer, uid } = transfer;
    const key = JSON.stringify([mailbox, kind, session, device, peer]);
    let group = latest.get(key);
    if (group === undefined || group.has(uid)) {
      group = new Map();
      groups.push(group);
      latest.set(key, group);
    }
    group.set(uid, transfer);
  }
  await insertHistory(sql, groups.flatMap(entryOf));
  return ok(undefined);
}

function entryOf(group: Map<number, Transfer>): readonly NewEntry[] {
  const transfers = [...group.values()].toSorted((one, other) => one.uid - other.uid);
  const [first] = transfers;
  if (first === undefined) return [];
  const { mailbox, kind, session, device, peer } = first;
  return [
    {
      mailbox,
      kind,
      session,
      device,
      peer,
      at: transfers.reduce((latest, { at }) => Math.max(latest, at), 0),
      uids: UidSet.of(Uint32Array.from(transfers, ({ uid }) => uid)),
      octets: transfers.map(({ octets }) => octets),
    },
  ];
}
