import type { Bound } from "./trend.ts";

/**
 * What is looked at while the server lives, and how much of it there may be more a minute. A leak is of whole things, again and
 * again: of a descriptor a minute, or of 100 KiB, half of it is taken for growth. What is rarer is found by a longer run.
 */
export const BOUNDS = {
  "anonymous memory, KiB": { perMinute: 50, of: "least" },
  "descriptors without connections": { perMinute: 0.5, of: "middle" },
  threads: { perMinute: 0.1, of: "middle" },
  "spool files": { perMinute: 0.5, of: "least" },
  // Up to the length at which it is emptied also under load (write/writer.ts) it keeps the longest that it had.
  "log of the database above 17 MiB, KiB": { perMinute: 256, of: "least" },
  segments: { perMinute: 0.5, of: "least" },
  "files of large bodies": { perMinute: 0.5, of: "least" },
} as const satisfies Readonly<Record<string, Bound>>;

/** The name of a series. */
export type Watched = keyof typeof BOUNDS;
