// Castagnoli's polynomial, bits reversed (RFC 3720 §12.1). node:zlib has only the other CRC-32.
const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let remainder = octet;
  for (let bit = 0; bit < 8; bit += 1) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  return remainder;
});

/** CRC-32C of the octets, as an unsigned number. */
export function crc32c(octets: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const octet of octets) remainder = (remainder >>> 8) ^ (TABLE[(remainder ^ octet) & 0xff] ?? 0);
  return (remainder ^ 0xffffffff) >>> 0;
}
