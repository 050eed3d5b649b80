import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Address } from "../model/address.ts";
import type { HouseKeys } from "./secret-key.ts";

/*
 * An app password is 128 random bits, which nobody guesses: a keyed hash is all it needs, and checking one costs nothing.
 */

const OCTETS = 16;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
/** 128 bits, five in a letter. */
const LETTERS = 26;
const SPARE_BITS = LETTERS * 5 - OCTETS * 8;
/** The longest text that is looked at: each letter with a separator. */
const MOST_CHARACTERS = 2 * LETTERS;
// People type what they see, and programs make dashes and spaces of their own.
const SEPARATORS = /[\s\p{Pd}]/gu;
const FORM = /^[a-z0-7]{26}$/;

/** The octets of a new app password. */
export function newAppPassword(): Uint8Array {
  return randomBytes(OCTETS);
}

/** An app password as it is shown: base32 (RFC 4648 §6) in lower case and groups, `abcde-fghij-klmno-pqrst-uvwxyz`. */
export function showAppPassword(octets: Uint8Array): string {
  const bits = BigInt(`0x${Buffer.from(octets).toString("hex")}`) << BigInt(SPARE_BITS);
  const letter = (index: number): string => ALPHABET[Number((bits >> BigInt(5 * (LETTERS - 1 - index))) & 31n)] ?? "";
  const letters = Array.from({ length: LETTERS }, (_, index) => letter(index)).join("");
  return letters.replace(/^(.{5})(.{5})(.{5})(.{5})/, "$1-$2-$3-$4-");
}

/** Reads one back, with or without separators, in any case, 0 for o and 1 for l; undefined: it is none. */
export function readAppPassword(text: string): Uint8Array | undefined {
  if (text.length < LETTERS || text.length > MOST_CHARACTERS) return undefined;
  const letters = text.replace(SEPARATORS, "").toLowerCase();
  if (!FORM.test(letters)) return undefined;
  let bits = 0n;
  for (const letter of letters) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(TYPED_FOR[letter] ?? letter));
  if ((bits & ((1n << BigInt(SPARE_BITS)) - 1n)) !== 0n) return undefined;
  return Buffer.from((bits >> BigInt(SPARE_BITS)).toString(16).padStart(2 * OCTETS, "0"), "hex");
}

const TYPED_FOR: Readonly<Record<string, string>> = { "0": "o", "1": "l" };

/** What is kept of one: a keyed hash, of no use in another account's row and no help without the key. */
export function appPasswordDigest(
  keys: Pick<HouseKeys, "appPassword">,
  address: Address,
  octets: Uint8Array,
): Uint8Array {
  return createHmac("sha256", keys.appPassword).update(`${address}\0`).update(octets).digest();
}

/** Whether two digests are the same, in a time that does not tell where they differ. */
export function sameDigest(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
