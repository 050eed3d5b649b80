import { type JunkHeader, lowerCase, ValueMatch } from "./junk-header.ts";

/** What the intake must know of a message's header. */
export type HeaderFacts = {
  /** How the content begins: a line that is no header field must not run into the trace headers. */
  readonly first: "nothing" | "field" | "blank" | "text";
  /** How many Received fields the header has; it grows with every server on the way (RFC 5321 §6.3). */
  readonly received: number;
  /** Whether it holds the field by which a filter says that the message is junk. */
  readonly junk: boolean;
};

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;
const RECEIVED = Buffer.from("received");
// A field name is never this long: RFC 5322 §2.1.1 ends the line before.
const NAME_OCTETS = 998;

/**
 * Reads the header of a message as it passes, in pieces of any size, and looks no further than the blank line behind
 * it. It holds nothing of what it reads. `junk` is the field that marks a message as junk, if there is one.
 */
export class HeaderScan implements HeaderFacts {
  first: HeaderFacts["first"] = "nothing";
  received = 0;
  #over = false;
  /** What the line under the scanner has been so far. */
  #at: "start" | "name" | "space" | "rest" = "start";
  #firstLine = true;
  #octets = 0;
  #matches = true;
  readonly #junkName: Uint8Array | undefined;
  readonly #junkValue: Uint8Array;
  #matchesJunk = true;
  // The value of the field under the scanner, where it may mark the message.
  #value: ValueMatch | undefined;
  #junk = false;

  constructor(junk?: JunkHeader) {
    this.#junkName = junk && Buffer.from(junk.name.trim()).map(lowerCase);
    this.#junkValue = Buffer.from(junk?.value.trim() ?? "").map(lowerCase);
  }

  /** Also when the header ends with its last field. */
  get junk(): boolean {
    return this.#junk || (this.#value?.matches ?? false);
  }

  push(piece: Uint8Array): void {
    let i = 0;
    while (!this.#over && i < piece.length) {
      if (this.#at === "rest") {
        const end = piece.indexOf(LF, i);
        this.#value?.push(piece.subarray(i, end < 0 ? piece.length : end));
        if (end < 0) return;
        this.#at = "start";
        i = end + 1;
      } else {
        this.#read(piece[i] as number);
        i += 1;
      }
    }
  }

  /** Takes one octet of a field's name, or of what stands where one should. */
  #read(octet: number): void {
    if (this.#at === "start") this.#begin(octet);
    else if (octet === COLON) this.#field();
    else if (octet === SPACE || octet === TAB) this.#at = "space";
    else if (this.#at === "space" || !isNameOctet(octet) || this.#octets === NAME_OCTETS) this.#text(octet);
    else this.#name(octet);
  }

  #begin(octet: number): void {
    this.#octets = 0;
    this.#matches = true;
    this.#matchesJunk = this.#junkName !== undefined;
    if (octet === SPACE || octet === TAB) this.#value?.push(Uint8Array.of(octet));
    else this.#endOfField();
    if (octet === CR) {
      if (this.#firstLine) this.first = "blank";
      this.#over = true;
      return;
    }
    // Until its colon has come, a first line is none of a header.
    if (this.#firstLine) this.first = "text";
    if (octet === COLON || !isNameOctet(octet)) return this.#text(octet);
    this.#at = "name";
    this.#name(octet);
  }

  #name(octet: number): void {
    const letter = lowerCase(octet);
    if (RECEIVED[this.#octets] !== letter) this.#matches = false;
    if (this.#junkName?.[this.#octets] !== letter) this.#matchesJunk = false;
    this.#octets += 1;
  }

  #field(): void {
    if (this.#firstLine) this.first = "field";
    this.#firstLine = false;
    if (this.#matches && this.#octets === RECEIVED.length) this.received += 1;
    if (this.#matchesJunk && this.#octets === this.#junkName?.length) this.#value = new ValueMatch(this.#junkValue);
    this.#at = "rest";
  }

  #endOfField(): void {
    this.#junk = this.junk;
    this.#value = undefined;
  }

  /** A continuation of the field before it, or no header at all. */
  #text(octet: number): void {
    if (this.#firstLine) this.#over = true;
    this.#at = octet === LF ? "start" : "rest";
  }
}

function isNameOctet(octet: number): boolean {
  return octet > 0x20 && octet < 0x7f;
}
