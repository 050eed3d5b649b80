import type { Result } from "../../lib/result.ts";

/**
 * A stored secret taken apart, ready to be compared with a password. "here": so cheap that it is done at once; "pool":
 * runs on libuv's pool; "thread": JavaScript that takes its time, to be called in the hashing thread only.
 */
export type Check =
  | { readonly where: "here"; readonly verify: (password: Buffer) => boolean }
  | { readonly where: "pool"; readonly verify: (password: Buffer) => Promise<boolean> }
  | { readonly where: "thread"; readonly verify: (password: Buffer) => boolean };

/** "malformed": not what the scheme's own programs write; "too-costly": one check of it would take many seconds. */
export type SchemeProblem = "malformed" | "too-costly";

/** How the text behind `{SCHEME}` is written: as the scheme has it, or as `.b64` or `.hex` in its name says. */
export type Encoding = "own" | "base64" | "hex";

/** One family of stored secrets. */
export type Scheme = (body: string, encoding: Encoding) => Result<Check, SchemeProblem>;

/** Decodes base64 (padding may be missing) or hex; undefined when it is not that. */
export function decode(text: string, encoding: "base64" | "hex"): Buffer | undefined {
  const valid = encoding === "hex" ? /^(?:[0-9a-f]{2})+$/i : /^(?:[a-z0-9+/]{4})*(?:[a-z0-9+/]{2,4}={0,2})?$/i;
  return text !== "" && valid.test(text) ? Buffer.from(text, encoding) : undefined;
}
