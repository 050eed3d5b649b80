import { isUtf8 } from "node:buffer";

/** The longest user name, password or authorization identity that is taken, in octets (rule SASL-05). */
export const PART_OCTETS = 255;

/** One part of a credential as text; undefined where it is longer than any can be or is no UTF-8, and so nobody's. */
export function decodePart(octets: Uint8Array): string | undefined {
  if (octets.length > PART_OCTETS || !isUtf8(octets)) return undefined;
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("utf8");
}
