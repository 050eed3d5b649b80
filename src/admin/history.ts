import * as z from "zod";
import { ok } from "../lib/result.ts";
import type { HistoryEntry, HistoryKind } from "../model/history.ts";
import type { MailboxId, Uid } from "../model/ids.ts";
import { findByUid, findMessage, uidlOf, type Whereabouts } from "./find-message.ts";
import { withMaildrop } from "./find.ts";
import { operation } from "./operation.ts";
import { refuse } from "./refusal.ts";
import type { AdminServices } from "./services.ts";

/** One thing that happened to messages; `at` is ISO 8601. */
export type HistoryRow = {
  readonly at: string;
  readonly kind: HistoryKind;
  /** How many messages; `uidls` may name fewer of them. */
  readonly messages: number;
  /** Of one that is gone for good the part in front of the dash. */
  readonly uidls: readonly string[];
  /** Under which UIDLs they came back, in the same order; empty but for "restored". */
  readonly newUidls: readonly string[];
  /** What left, of "sent" and "cut". */
  readonly octets: number | null;
  /** "": by the account's own credentials, or nobody's (see `session`). */
  readonly device: string;
  /** "" where no session did it: an administrator, or age. */
  readonly session: string;
  readonly peer: string;
};

/** A message's own facts; times are ISO 8601. */
export type MessageFacts = {
  readonly uidl: string;
  readonly state: "here" | "removed" | "restored" | "gone";
  /** The UIDL under which it came back, of "restored". */
  readonly restoredAs: string | null;
  readonly received: string | null;
  readonly octets: number | null;
  /** Until when it can be brought back, if the disk does not fill up before. */
  readonly recoverableUntil: string | null;
};

const PAGE = 500;
/** Messages of one entry that are named; the entry says how many there are. */
const NAMED = 100;
/** Of an entry that many messages share, the place of one has to be found. */
const MOST_UIDS = 1_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;

const paged = {
  address: z.string().max(1024),
  before: z.int().positive().optional(),
  limit: z.int().min(1).max(PAGE).default(PAGE),
};

/** What happened in a maildrop, the newest first, a page at a time: `next` is the `before` of the page that follows. */
export const maildropHistory = operation(z.strictObject(paged), ({ address, before, limit }, { services }) =>
  withMaildrop(services, address, async ({ account, name, mailbox }) => {
    const more = before === undefined ? {} : { before };
    const entries = await services.store.history.entries({ mailbox, limit, mostUids: NAMED, ...more });
    const names = createNames(services, mailbox);
    const rows: HistoryRow[] = [];
    for (const entry of entries) rows.push(await rowOf(entry, entry.uids, entry.newUids, names));
    return ok({ address: account.address, mailbox: name, entries: rows, next: nextOf(entries, limit) });
  }),
);

/** What became of one message: its facts, and what happened to it, the newest first, a page at a time. */
export const messageHistory = operation(
  z.strictObject({ ...paged, uidl: z.string().min(1).max(256) }),
  ({ address, uidl, before, limit }, { services }) =>
    withMaildrop(services, address, async ({ account, name, mailbox }) => {
      const found = await findMessage(services.store.mail, mailbox, uidl);
      if (found === undefined) return refuse("unknown-message", uidl, { detail: address });
      const { uid } = found;
      const more = before === undefined ? {} : { before };
      const entries = await services.store.history.entries({ mailbox, uid, limit, mostUids: MOST_UIDS, ...more });
      if (found.state === "gone" && entries.length === 0 && before === undefined)
        return refuse("unknown-message", uidl, { detail: address });
      const names = createNames(services, mailbox);
      const rows: HistoryRow[] = [];
      for (const entry of entries) {
        rows.push(await rowOf(entry, ...namesOfOne(entry, uid), names));
      }
      const restored = found.state === "gone" && before === undefined ? entries[0]?.newUids[0] : undefined;
      const again = restored === undefined ? undefined : await findByUid(services.store.mail, mailbox, restored as Uid);
      const message = factsOf(services, found, again);
      return ok({ address: account.address, mailbox: name, message, entries: rows, next: nextOf(entries, limit) });
    }),
);

/** Of a message that came back the old and the new uid, whichever was asked for. */
function namesOfOne({ uids, newUids }: HistoryEntry, uid: number): readonly [uids: number[], newUids: number[]] {
  const place = Math.max(uids.indexOf(uid), newUids.indexOf(uid));
  const [before, after] = [uids[place], newUids[place]];
  return before === undefined || after === undefined ? [[uid], []] : [[before], [after]];
}

function nextOf(entries: readonly HistoryEntry[], limit: number): number | null {
  return entries.length < limit ? null : (entries.at(-1)?.id ?? null);
}

// A message is in many entries of a page: it is looked up once.
function createNames({ store }: AdminServices, mailbox: MailboxId): (uid: number) => Promise<string> {
  const known = new Map<number, string>();
  return async (uid) => {
    const name = known.get(uid) ?? (await uidlOf(store.mail, mailbox, uid as Uid));
    known.set(uid, name);
    return name;
  };
}

async function rowOf(
  entry: HistoryEntry,
  uids: readonly number[],
  newUids: readonly number[],
  names: (uid: number) => Promise<string>,
): Promise<HistoryRow> {
  const [uidls, newUidls]: [string[], string[]] = [[], []];
  for (const uid of uids) uidls.push(await names(uid));
  for (const uid of newUids) newUidls.push(await names(uid));
  const { kind, messages, octets, device, session, peer } = entry;
  return { at: new Date(entry.at).toISOString(), kind, messages, uidls, newUidls, octets, device, session, peer };
}

/** `again`: the message under the UIDL under which it came back. */
function factsOf(services: AdminServices, found: Whereabouts, again: Whereabouts | undefined): MessageFacts {
  const unknown = { received: null, octets: null, recoverableUntil: null, restoredAs: null };
  if (found.state === "gone" && again !== undefined) {
    const { uidl: restoredAs, received, octets } = factsOf(services, again, undefined);
    return { ...unknown, uidl: found.uidl, state: "restored", restoredAs, received, octets };
  }
  if (found.state === "gone") return { ...unknown, uidl: found.uidl, state: "gone" };
  if (found.state === "here") {
    const received = new Date(found.received).toISOString();
    return { ...unknown, uidl: found.uidl, state: "here", received, octets: found.octets };
  }
  const { uidl, octets, at } = found.removed;
  const received = new Date(found.removed.received).toISOString();
  const recoverableUntil = new Date(at + services.defaults().undeleteDays * DAY_MS).toISOString();
  return { ...unknown, uidl, state: "removed", received, octets, recoverableUntil };
}
