import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "./crc32c.ts";

// RFC 3720 §B.4 gives these.
const vectors: readonly (readonly [string, Uint8Array, number])[] = [
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 ascending octets", Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
  ["the check string of all CRCs", Buffer.from("123456789"), 0xe3069283],
  ["nothing", new Uint8Array(0), 0],
];

for (const [what, octets, sum] of vectors) {
  test(`CRC-32C of ${what}`, () => assert.equal(crc32c(octets), sum));
}
