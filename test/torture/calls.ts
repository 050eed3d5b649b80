/** The kinds of calls that calls.h tells apart, in its order. */
export const KINDS = [
  "open",
  "create",
  "write",
  "sync",
  "rename",
  "link",
  "unlink",
  "rmdir",
  "truncate",
  "mkdir",
  "unknown",
] as const;

export type Kind = (typeof KINDS)[number];
