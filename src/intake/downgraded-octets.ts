import { isAscii } from "node:buffer";
import { createDowngrader } from "../mailbox/downgrade/downgrade.ts";

/**
 * Counts the octets of a content that a client without UTF8 is sent (RFC 6856 §2), by the converter that sends them with the
 * trace fields in front: STAT, LIST and RETR agree in either mode.
 */
export class DowngradedOctets {
  readonly #downgrader = createDowngrader("content");
  #octets = 0;

  push(piece: Uint8Array): void {
    this.#octets += this.#downgrader.push(piece).length;
  }

  /** All of them; nothing may be pushed after it. */
  end(): number {
    return this.#octets + this.#downgrader.end().length;
  }
}

/** The same of octets that are here whole; ASCII costs a look at it. */
export function downgradedOctets(whole: Uint8Array): number {
  if (isAscii(whole)) return whole.length;
  const counted = new DowngradedOctets();
  counted.push(whole);
  return counted.end();
}
