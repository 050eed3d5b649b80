import { setImmediate } from "node:timers/promises";
import type { HistoryEntry } from "../../model/history.ts";
import type { History } from "../ports.ts";
import { entryOf, entryOfMessage, pageOfHistory } from "./history.ts";
import type { Sql } from "./statement.ts";

// What one message went through lies anywhere in its mailbox's history: looked for in steps of some ms.
const ROWS_AT_ONCE = 1000;

/** See History.entries. */
export async function findHistory(
  sql: Sql,
  query: Parameters<History["entries"]>[0],
): Promise<readonly HistoryEntry[]> {
  const { mailbox, uid, limit, mostUids } = query;
  let before = query.before ?? Number.MAX_SAFE_INTEGER;
  if (uid === undefined) {
    return (await pageOfHistory(sql, mailbox, before, limit)).map((row) => entryOf(row, mostUids));
  }
  const entries: HistoryEntry[] = [];
  for (;;) {
    const page = await pageOfHistory(sql, mailbox, before, ROWS_AT_ONCE);
    for (const row of page) {
      const entry = entryOfMessage(row, uid);
      if (entry !== undefined) entries.push(entry);
      if (entries.length === limit) return entries;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < ROWS_AT_ONCE) return entries;
    before = last.id;
    await setImmediate();
  }
}
