/** A field by which a filter in front of us marks a message as junk; case says nothing in name and value. */
export type JunkHeader = { readonly name: string; readonly value: string };

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;

/** Compares the value of a field as it passes: unfolded, without white space at its ends, without regard to case. */
export class ValueMatch {
  readonly #expected: Uint8Array;
  #matched = 0;
  #differs = false;

  /** `expected` in lower case. */
  constructor(expected: Uint8Array) {
    this.#expected = expected;
  }

  get matches(): boolean {
    return !this.#differs && this.#matched === this.#expected.length;
  }

  push(octets: Uint8Array): void {
    for (let i = 0; i < octets.length && !this.#differs; i += 1) this.#read(octets[i] as number);
  }

  #read(octet: number): void {
    if (octet === CR || octet === LF) return;
    const isBlank = octet === SPACE || octet === TAB;
    if (isBlank && (this.#matched === 0 || this.#matched === this.#expected.length)) return;
    if (this.#expected[this.#matched] === lowerCase(octet)) this.#matched += 1;
    else this.#differs = true;
  }
}

/** The octet, a capital letter of ASCII as a small one. */
export function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}
