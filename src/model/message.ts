import type { Uid } from "./ids.ts";

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
const OCTETS = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

/**
 * The unique id of a message (RFC 1939 §7 UIDL, rule 1939-18): its uid in base 36, `-`, and the 32 random bits that
 * were drawn when it came, so that it is not reused even where an address was removed and made again.
 */
export function uidl(uid: Uid, tag: number): string {
  // By hand, for a listing has thousands of them: three times as fast as Number's own toString.
  return `${base36(uid)}-${octet(tag >>> 24)}${octet(tag >>> 16)}${octet(tag >>> 8)}${octet(tag)}`;
}

function base36(number: number): string {
  let text = "";
  for (let rest = number; rest > 0 || text === ""; rest = Math.floor(rest / 36)) text = `${DIGITS[rest % 36]}${text}`;
  return text;
}

function octet(bits: number): string {
  return OCTETS[bits & 255] ?? "";
}

/** What a UIDL of ours says. */
export type ParsedUidl = {
  readonly uid: Uid;
  /** Its random bits; undefined: the text was the uid alone, by which a message is known that is gone. */
  readonly tag: number | undefined;
};

/** Reads a UIDL that `uidl` made, or the uid in front of it alone; undefined: it is none, but may be one of imported mail. */
export function parseUidl(text: string): ParsedUidl | undefined {
  const [, digits, bits] = /^([0-9a-z]{1,7})(?:-([0-9a-f]{8}))?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const uid = Number.parseInt(digits, 36);
  if (uid >= 2 ** 32 || base36(uid) !== digits) return undefined;
  return { uid: uid as Uid, tag: bits === undefined ? undefined : Number.parseInt(bits, 16) };
}

/** The uid as it stands in front of a UIDL: the name of a message whose random bits are not known any more. */
export function uidlHead(uid: Uid): string {
  return base36(uid);
}
