import type { HistoryRow, MessageFacts } from "../../admin/history.ts";
import type { InputOf } from "../../admin/operations.ts";
import { formatOctets } from "../../config/octets.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { answer, UsageError, type Context, type Given } from "../context.ts";
import { formatDate, formatTime } from "../format-date.ts";
import type { MessageKey } from "../language.ts";
import { renderFacts, renderTable } from "../table.ts";

/** So many rows fit a terminal's memory; --json gives everything unless it is told otherwise. */
const ROWS = 50;
const PAGE = 500;

/** `mailkeep maildrop history ADDRESS [--message UIDL] [--limit N]` */
export async function history(context: Context, { words: [address = ""], options }: Given): Promise<number> {
  const limit = readLimit(context, options["limit"]);
  const { message } = options;
  return typeof message === "string"
    ? ofMessage(context, address, message, limit)
    : ofMaildrop(context, address, limit);
}

function readLimit({ say, json }: Context, given: string | boolean | undefined): number {
  if (typeof given !== "string") return json ? Number.POSITIVE_INFINITY : ROWS;
  if (!/^[1-9]\d{0,8}$/.test(given)) throw new UsageError(say("usage.bad-limit", { text: given }));
  return Number(given);
}

async function ofMaildrop(context: Context, address: string, limit: number): Promise<number> {
  const { say } = context;
  const found = await withAdmin(context, (admin) =>
    inPages(limit, async (page) => valueOf(context, await admin.call("maildrop.history", { address, ...page }))),
  );
  const { first, entries, more } = found;
  answer(context, { address: first.address, mailbox: first.mailbox, entries, more }, () => {
    const named = { address: first.address, mailbox: first.mailbox };
    if (entries.length === 0) return say("history.none", named);
    const table = renderTable(
      [
        { title: say("history.when") },
        { title: say("history.what") },
        { title: say("history.which") },
        { title: say("maildrop.octets"), right: true },
        ...byColumns(context),
      ],
      entries.map((row) => [formatTime(row.at), whatOf(context, row), whichOf(context, row), ...byOf(context, row)]),
    );
    return more ? `${table}\n${say("history.more", { count: entries.length })}` : table;
  });
  return 0;
}

async function ofMessage(context: Context, address: string, uidl: string, limit: number): Promise<number> {
  const { say } = context;
  const found = await withAdmin(context, (admin) =>
    inPages(limit, async (page) => valueOf(context, await admin.call("maildrop.message", { address, uidl, ...page }))),
  );
  const { first, entries, more } = found;
  const { message } = first;
  answer(context, { address: first.address, mailbox: first.mailbox, message, entries, more }, () => {
    // A story is told from its beginning.
    const rows = entries.toReversed().map((row) => {
      return [formatTime(row.at), whatOf(context, row, message.uidl), ...byOf(context, row)];
    });
    const came = message.received === null ? [] : [[formatTime(message.received), say("history.came")]];
    const columns = [
      { title: say("history.when") },
      { title: say("history.what") },
      { title: say("maildrop.octets"), right: true },
      ...byColumns(context),
    ];
    const facts = renderFacts(factsOf(context, first.mailbox, message));
    const told = [...(more ? [] : came), ...rows];
    const table = told.length === 0 ? "" : `\n\n${renderTable(columns, told)}`;
    const cut = more ? `\n${say("history.more", { count: entries.length })}` : "";
    return `${facts}${table}${cut}`;
  });
  return 0;
}

type Page = { readonly entries: readonly HistoryRow[]; readonly next: number | null };

async function inPages<P extends Page>(
  limit: number,
  ask: (page: Pick<InputOf<"maildrop.history">, "before" | "limit">) => Promise<P>,
): Promise<{ readonly first: P; readonly entries: readonly HistoryRow[]; readonly more: boolean }> {
  const first = await ask({ limit: Math.min(PAGE, limit) });
  const entries = [...first.entries];
  let { next } = first;
  while (next !== null && entries.length < limit) {
    const page = await ask({ before: next, limit: Math.min(PAGE, limit - entries.length) });
    entries.push(...page.entries);
    ({ next } = page);
  }
  // What was fetched is written a second later than what was removed: the order of time is another one.
  const byTime = entries.toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at));
  return { first, entries: byTime, more: next !== null };
}

function factsOf(
  { say }: Context,
  mailbox: string,
  { uidl, state, received, octets, recoverableUntil, restoredAs }: MessageFacts,
): readonly (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = [[say("maildrop.uidl"), uidl]];
  if (received !== null) facts.push([say("maildrop.received"), formatTime(received)]);
  if (octets !== null) facts.push([say("maildrop.octets"), formatOctets(octets)]);
  const date = recoverableUntil === null ? "" : formatDate(recoverableUntil);
  facts.push([say("history.now"), say(`history.state-${state}`, { mailbox, date, uidl: restoredAs ?? "" })]);
  return facts;
}

// `own`: whose story is told; of what it was before it names the other end.
function whatOf({ say }: Context, { kind, uidls, newUidls }: HistoryRow, own?: string): string {
  const [uidl, ...others] = newUidls;
  if (kind === "restored" && uidl === own) return say("history.restored-from", { uidl: uidls[0] ?? "" });
  if (kind === "restored" && others.length === 0 && uidl !== undefined) return say("history.restored-as", { uidl });
  const key: MessageKey = `history.${kind}`;
  return say(key);
}

function whichOf({ say }: Context, { messages, uidls }: HistoryRow): string {
  const [uidl] = uidls;
  return messages === 1 && uidl !== undefined ? uidl : say("history.count", { count: messages });
}

function byColumns({ say }: Context) {
  return [{ title: say("history.device") }, { title: say("history.from") }, { title: say("history.session") }];
}

function byOf({ say }: Context, { octets, device, peer, session }: HistoryRow): readonly string[] {
  const by = session === "" ? say("history.nobody") : device === "" ? say("history.own") : device;
  return [octets === null ? "" : formatOctets(octets), by, peer, session];
}
