import { assert } from "../lib/assert.ts";

// 53 bits in groups of seven.
const MOST_OCTETS = 8;

/** Packs whole numbers in groups of seven bits, so that small ones take one octet. */
export function encodeVarints(numbers: ArrayLike<number>): Uint8Array {
  let octets = new Uint8Array(numbers.length * 2 + MOST_OCTETS);
  let at = 0;
  for (let index = 0; index < numbers.length; index += 1) {
    if (at + MOST_OCTETS > octets.length) octets = grown(octets);
    let value = numbers[index] ?? 0;
    for (; value >= 128; value = Math.floor(value / 128)) {
      octets[at] = (value % 128) + 128;
      at += 1;
    }
    octets[at] = value;
    at += 1;
  }
  return octets.slice(0, at);
}

function grown(octets: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(octets.length * 2);
  larger.set(octets);
  return larger;
}

/** The numbers that encodeVarints() packed. */
export function decodeVarints(octets: Uint8Array): Float64Array {
  let count = 0;
  for (let index = 0; index < octets.length; index += 1) if ((octets[index] ?? 0) < 128) count += 1;
  const numbers = new Float64Array(count);
  let at = 0;
  let value = 0;
  let scale = 1;
  for (let index = 0; index < octets.length; index += 1) {
    const octet = octets[index] ?? 0;
    value += (octet & 127) * scale;
    scale *= 128;
    if (octet >= 128) continue;
    numbers[at] = value;
    at += 1;
    value = 0;
    scale = 1;
  }
  assert(scale === 1, "packed numbers are whole");
  return numbers;
}
