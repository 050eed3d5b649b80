import type { Codec } from "../../lib/codec.ts";

const CR = 13;
const LF = 10;
const DOT = 46;
const TERMINATOR = Buffer.from("\r\n.\r\n");

/**
 * `before`: octets in front of each piece, in its own buffer, that the stuffer may use up. `kept`: octets around what it gives
 * that are free after that, also where it had to make a buffer of its own.
 */
export type Room = { readonly before: number; readonly kept: { readonly before: number; readonly behind: number } };

const NO_ROOM: Room = { before: 0, kept: { before: 0, behind: 0 } };

/**
 * Byte-stuffing (RFC 1939 §3, rules 1939-11, 1939-12): doubles each dot that begins a line, also where a piece begins or
 * ends there, and ends with the terminator, with a line end before it where the text has none. A text that is known to
 * have no such dot passes through untouched.
 */
export class DotStuffer implements Codec {
  readonly #dotted: boolean;
  readonly #room: Room;
  // The last octets so far; at the very beginning a line begins too.
  #last = LF;
  #lastButOne = CR;

  constructor(dotted: boolean, room: Room = NO_ROOM) {
    this.#dotted = dotted;
    this.#room = room;
  }

  push(piece: Uint8Array): Uint8Array {
    if (piece.length === 0) return piece;
    const atLineStart = this.#last === LF;
    this.#lastButOne = piece.length > 1 ? (piece[piece.length - 2] ?? 0) : this.#last;
    this.#last = piece[piece.length - 1] ?? 0;
    return this.#dotted ? stuff(piece, atLineStart, this.#room) : piece;
  }

  end(): Uint8Array {
    return this.#last === LF && this.#lastButOne === CR ? TERMINATOR.subarray(2) : TERMINATOR;
  }
}

function stuff(piece: Uint8Array, atLineStart: boolean, { before, kept }: Room): Uint8Array {
  const dots = dotsOf(piece, atLineStart);
  if (dots.length === 0) return piece;
  const total = piece.length + dots.length;
  if (dots.length <= before) {
    // What is in front of a dot moves towards the room, so the octets behind the last dot stay where they are.
    const stuffed = Buffer.from(piece.buffer, piece.byteOffset - dots.length, total);
    spread(stuffed, stuffed.subarray(dots.length), dots);
    return stuffed;
  }
  const stuffed = Buffer.allocUnsafe(kept.before + total + kept.behind).subarray(kept.before, kept.before + total);
  spread(stuffed, piece, dots);
  stuffed.set(piece.subarray(dots.at(-1)), (dots.at(-1) ?? 0) + dots.length);
  return stuffed;
}

/** Where the dots are that begin a line. */
function dotsOf(piece: Uint8Array, atLineStart: boolean): readonly number[] {
  const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  const dots: number[] = [];
  if (atLineStart && octets[0] === DOT) dots.push(0);
  for (let found = octets.indexOf("\n."); found >= 0; found = octets.indexOf("\n.", found + 1)) dots.push(found + 1);
  return dots;
}

/** Puts everything in front of the last dot into place, and a dot more before each; source and target may overlap. */
function spread(target: Buffer, source: Uint8Array, dots: readonly number[]): void {
  let from = 0;
  for (const [index, dot] of dots.entries()) {
    target.set(source.subarray(from, dot), from + index);
    target[dot + index] = DOT;
    from = dot;
  }
}
