import { assert } from "../lib/assert.ts";

// 53 bits in groups of seven.
const MOST_OCTETS = 8;

/** Packs whole numbers in groups of seven bits, so that small ones take one octet. */
export function encodeVarints(numbers: ArrayLike<number>): Uint8Array {
  const writer = new VarintWriter(numbers.length * 2);
  for (let index = 0; index < numbers.length; index += 1) writer.push(numbers[index] ?? 0);
  return writer.octets;
}

/** The same for numbers that come one after the other. */
export class VarintWriter {
  #octets: Uint8Array;
  #at = 0;

  constructor(expectedOctets = 0) {
    this.#octets = new Uint8Array(expectedOctets + MOST_OCTETS);
  }

  push(number: number): void {
    if (this.#at + MOST_OCTETS > this.#octets.length) this.#grow();
    let value = number;
    for (; value >= 128; value = Math.floor(value / 128)) {
      this.#octets[this.#at] = (value % 128) + 128;
      this.#at += 1;
    }
    this.#octets[this.#at] = value;
    this.#at += 1;
  }

  get octets(): Uint8Array {
    return this.#octets.slice(0, this.#at);
  }

  #grow(): void {
    const larger = new Uint8Array(this.#octets.length * 2);
    larger.set(this.#octets);
    this.#octets = larger;
  }
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
