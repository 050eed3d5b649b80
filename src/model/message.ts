import type { Uid } from "./ids.ts";

/**
 * The unique id of a message (RFC 1939 §7 UIDL, rule 1939-18): its uid in base 36, `-`, and the 32 random bits that
 * were drawn when it came, so that it is not reused even where an address was removed and made again.
 */
export function uidl(uid: Uid, tag: number): string {
  return `${uid.toString(36)}-${tag.toString(16).padStart(8, "0")}`;
}
