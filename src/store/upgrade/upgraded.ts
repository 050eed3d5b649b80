import type { OpenRefusal } from "../open-refusal.ts";
import type { Picture } from "../sql/picture.ts";
import type { Tried } from "./try-on-copy.ts";

/** How far an upgrade is: messages that were counted, octets to be copied, files, bodies; a step begins and ends with a word. */
export type UpgradeProgress = (at: {
  readonly step: "count" | "copy" | "link" | "try" | "bodies" | "migrate";
  readonly done: number;
  readonly total: number;
}) => void;

/** What became of it. "made": there was no store; "current": nothing was to do. */
export type Upgraded = { readonly from: number; readonly to: number } & (
  { readonly kind: "made" | "current" } | ({ readonly kind: "migrated" } & Tried & Omit<Picture, "counted">)
);

/**
 * Why nothing was changed. "no-room": the copy does not fit beside the store; "no-links": the file system cannot give files a
 * second name; "differs": what the migration made of the copy, or would have made of the store, is not what was there.
 */
export type UpgradeRefusal = {
  readonly kind: OpenRefusal["kind"] | "no-room" | "no-links" | "differs";
  readonly reason: string;
};
