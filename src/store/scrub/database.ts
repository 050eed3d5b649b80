import type { Walk } from "./walk.ts";
import { report, wordsOf } from "./walk.ts";

const MOST_COMPLAINTS = 100;
// These have indexes that decide where mail goes and what lives on; the plain check does not compare them with their rows.
const INDEXED = ["account", "mailbox", "body", "removal", "removed"] as const;

/**
 * The database's own checks. They hold up nobody but the thread of the scrub, and cannot be divided further: the database is
 * small beside the bodies.
 */
export async function checkDatabase(walk: Walk): Promise<void> {
  const { sql, signal } = walk.parts;
  const told = new Set<string>();
  const checks = [
    `pragma quick_check(${MOST_COMPLAINTS})`,
    ...INDEXED.map((table) => `pragma integrity_check('${table}')`),
  ];
  for (const check of checks) {
    signal.throwIfAborted();
    for (const complaint of complaints(sql, check)) {
      if (told.has(complaint) || told.size >= MOST_COMPLAINTS) continue;
      told.add(complaint);
      await report(walk, "database", complaint);
    }
  }
}

function complaints(sql: Walk["parts"]["sql"], check: string): readonly string[] {
  try {
    return sql
      .query(check)
      .map((row) => String(Object.values(row)[0]))
      .filter((answer) => answer !== "ok");
  } catch (cause) {
    // Where a page that it needs for its own work is damaged, the check itself ends in an error.
    return [wordsOf(cause)];
  }
}
