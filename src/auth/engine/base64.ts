/**
 * Decodes base64 as RFC 4648 §4 writes it and no other way: a character outside the alphabet, a pad anywhere but at the
 * end, or bits left over make it undecodable (rule SASL-02).
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const octets = Buffer.from(text, "base64");
  // Node's decoder skips what it does not know; only a text that says exactly these octets comes back the same.
  return octets.toString("base64") === text ? octets : undefined;
}

/** Encodes octets as base64 with its padding. */
export function encodeBase64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("base64");
}
