import { err, ok, type Result } from "../lib/result.ts";
import type { ProxyHeader, ProxyProblem } from "./proxy-header.ts";
import { parseV1 } from "./proxy-v1.ts";
import { parseV2, V2_FIXED_OCTETS, V2_SIGNATURE, v2Octets } from "./proxy-v2.ts";

/*
 * HAProxy's "The PROXY protocol", versions 1 and 2: what a proxy says of its client before anything else. Pure and strict:
 * what is not exactly a header is refused, since octets that are misread here would be believed about somebody.
 */

/** A header, and what came behind it: that belongs to the protocol. */
export type ProxyOutcome = Result<{ readonly header: ProxyHeader; readonly rest: Uint8Array }, ProxyProblem>;

const V1_START = Buffer.from("PROXY ", "latin1");
/** §2.1: the longest line there can be, its CRLF included. */
const V1_MOST_OCTETS = 107;
const LF = 0x0a;

/** Reads one header from octets that come in pieces of any size. */
export class ProxyHeaderParser {
  #held: Buffer = Buffer.alloc(0);

  /** Takes the next octets; undefined: more are needed. Not to be called again after an outcome. */
  push(octets: Uint8Array): ProxyOutcome | undefined {
    this.#held = this.#held.length === 0 ? asBuffer(octets) : Buffer.concat([this.#held, octets]);
    if (startsWith(this.#held, V2_SIGNATURE)) return this.#v2();
    if (startsWith(this.#held, V1_START)) return this.#v1();
    return err("no-header");
  }

  #v1(): ProxyOutcome | undefined {
    const end = this.#held.subarray(0, V1_MOST_OCTETS).indexOf(LF);
    if (end < 0) return this.#held.length >= V1_MOST_OCTETS ? err("too-long") : undefined;
    const header = parseV1(this.#held.toString("latin1", 0, end + 1));
    return header.ok ? this.#done(header.value, end + 1) : header;
  }

  #v2(): ProxyOutcome | undefined {
    if (this.#held.length < V2_FIXED_OCTETS) return undefined;
    const octets = v2Octets(this.#held);
    if (!octets.ok) return octets;
    if (this.#held.length < octets.value) return undefined;
    const header = parseV2(this.#held.subarray(0, octets.value));
    return header.ok ? this.#done(header.value, octets.value) : header;
  }

  #done(header: ProxyHeader, octets: number): ProxyOutcome {
    return ok({ header, rest: this.#held.subarray(octets) });
  }
}

/** Whether the octets begin with the start, as far as there are any. */
function startsWith(octets: Buffer, start: Buffer): boolean {
  const common = Math.min(octets.length, start.length);
  return octets.subarray(0, common).equals(start.subarray(0, common));
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}
