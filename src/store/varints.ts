import { assert } from "../lib/assert.ts";

/** Packs whole numbers in groups of seven bits, so that small ones take one octet. */
export function encodeVarints(numbers: Iterable<number>): Uint8Array {
  const octets: number[] = [];
  for (let value of numbers) {
    for (; value >= 128; value = Math.floor(value / 128)) octets.push((value % 128) + 128);
    octets.push(value);
  }
  return Uint8Array.from(octets);
}

/** The numbers that encodeVarints() packed. */
export function decodeVarints(octets: Uint8Array): number[] {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const octet of octets) {
    value += (octet & 127) * scale;
    scale *= 128;
    if (octet >= 128) continue;
    numbers.push(value);
    value = 0;
    scale = 1;
  }
  assert(scale === 1, "packed numbers are whole");
  return numbers;
}
