import type { Codec } from "../../lib/codec.ts";

const CR = 13;
const LF = 10;
const DOT = 46;
const DOT_ALONE = Buffer.from(".");
const TERMINATOR = Buffer.from("\r\n.\r\n");

/**
 * Byte-stuffing (RFC 1939 §3, rules 1939-11, 1939-12): doubles each dot that begins a line, also where a piece begins or
 * ends there, and ends with the terminator, with a line end before it where the text has none. A text that is known to
 * have no such dot passes through untouched.
 */
export class DotStuffer implements Codec {
  readonly #dotted: boolean;
  // The last octets so far; at the very beginning a line begins too.
  #last = LF;
  #lastButOne = CR;

  constructor(dotted: boolean) {
    this.#dotted = dotted;
  }

  push(piece: Uint8Array): Uint8Array {
    if (piece.length === 0) return piece;
    const stuffed = this.#dotted ? stuff(piece, this.#last === LF) : piece;
    this.#lastButOne = piece.length > 1 ? (piece[piece.length - 2] ?? 0) : this.#last;
    this.#last = piece[piece.length - 1] ?? 0;
    return stuffed;
  }

  end(): Uint8Array {
    return this.#last === LF && this.#lastButOne === CR ? TERMINATOR.subarray(2) : TERMINATOR;
  }
}

function stuff(piece: Uint8Array, atLineStart: boolean): Uint8Array {
  const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  const parts: Uint8Array[] = [];
  let from = 0;
  if (atLineStart && octets[0] === DOT) parts.push(DOT_ALONE);
  for (let found = octets.indexOf("\n."); found >= 0; found = octets.indexOf("\n.", found + 1)) {
    parts.push(octets.subarray(from, found + 1), DOT_ALONE);
    from = found + 1;
  }
  if (parts.length === 0) return piece;
  parts.push(octets.subarray(from));
  return Buffer.concat(parts);
}
