import type { Codec } from "../../lib/codec.ts";
import { Boundaries, DELIMITER_OCTETS } from "./boundaries.ts";
import { insideOf } from "./content-type.ts";
import { FieldConverter } from "./field.ts";
import { type HeaderEnd, HeaderReader } from "./header-reader.ts";
import { Output } from "./output.ts";

/**
 * Converts a stored message into what a client without UTF8 gets (RFC 6856 §2): header fields that hold UTF-8 beyond
 * ASCII, those of MIME parts and of messages within included, become what RFC 2047, RFC 2231 and RFC 6857 make of them;
 * all else, as bodies in 8 bits and fields in old charsets, goes as it is. A message that is changed grows. It holds one
 * field at a time and never a body; what it gives may be the piece that it was given. `of`: "content" is a message without
 * the trace fields that it is stored with, and comes to the same octets as within the message.
 */
export function createDowngrader(of: "message" | "content" = "message"): Codec {
  const downgrader = new Downgrader(of === "message" ? TRACE_FIELDS : 0);
  return { push: (octets) => downgrader.push(octets), end: () => downgrader.end() };
}

/** More headers than this have no message that anybody reads; behind them all goes as it is. */
const MOST_HEADERS = 10_000;
/** Return-Path and Received (intake/trace.ts). */
const TRACE_FIELDS = 2;
const LF = 0x0a;
const DASH = 0x2d;
const NOTHING = Buffer.alloc(0);

class Downgrader {
  readonly #boundaries = new Boundaries();
  readonly #converter: FieldConverter;
  #headers = 0;
  // undefined: in a body.
  #header: HeaderReader | undefined;
  // What a body's line has had so far while it may be a delimiter; undefined: within a line that is none.
  #line: Buffer | undefined;

  constructor(freeFields: number) {
    this.#converter = new FieldConverter(freeFields);
    this.#header = this.#begin(false);
  }

  push(octets: Uint8Array): Uint8Array {
    const piece = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
    const out = new Output(piece);
    for (let at = 0; at < piece.length;) {
      if (!this.#header) {
        at = this.#body(piece, at);
        continue;
      }
      const read = this.#header.read(piece, at, out);
      at = read.at;
      if (read.end) this.#headerEnded(this.#header, read.end);
    }
    return out.finish();
  }

  end(): Uint8Array {
    return this.#header?.end() ?? NOTHING;
  }

  #headerEnded(header: HeaderReader, end: HeaderEnd): void {
    if (end !== "blank") return this.#enter(end);
    const inside = insideOf(header.type, header.encoding, header.inDigest);
    if (inside.kind === "parts") this.#boundaries.enter(inside.boundary, inside.digest);
    this.#header = inside.kind === "message" ? this.#begin(false) : undefined;
    this.#line = NOTHING;
  }

  /** Behind a delimiter: the header of a part, or what follows the last part. */
  #enter(delimiter: "part" | "close"): void {
    this.#header = delimiter === "part" ? this.#begin(this.#boundaries.inDigest) : undefined;
    this.#line = NOTHING;
  }

  #begin(inDigest: boolean): HeaderReader | undefined {
    this.#headers += 1;
    if (this.#headers <= MOST_HEADERS) return new HeaderReader(this.#boundaries, this.#converter, inDigest);
    this.#boundaries.leave();
    return undefined;
  }

  /** Looks for a delimiter; gives where it stopped. */
  #body(piece: Buffer, at: number): number {
    if (this.#boundaries.none) return piece.length;
    if (this.#line) return this.#startOfLine(piece, at, this.#line);
    const dashes = piece.indexOf("\n--", at, "latin1");
    if (dashes >= 0) return this.#startOfLine(piece, dashes + 1, NOTHING);
    if (piece[piece.length - 1] === LF) this.#line = NOTHING;
    else if (piece[piece.length - 1] === DASH && piece.length - at > 1 && piece[piece.length - 2] === LF) {
      this.#line = Buffer.from("-");
    }
    return piece.length;
  }

  /** Reads a line that began with `begun` in an earlier piece, or begins at `at`. */
  #startOfLine(piece: Buffer, at: number, begun: Buffer): number {
    const lineFeed = piece.indexOf(LF, at);
    const end = lineFeed < 0 ? piece.length : lineFeed + 1;
    this.#line = undefined;
    // The search goes on with this line's end, behind which a delimiter may stand.
    const behind = lineFeed < 0 ? end : lineFeed;
    if (begun.length + end - at > DELIMITER_OCTETS) return behind;
    const rest = piece.subarray(at, end);
    const line = begun.length === 0 ? rest : Buffer.concat([begun, rest]);
    if (line[0] !== DASH || (line.length > 1 && line[1] !== DASH)) return behind;
    if (lineFeed < 0) {
      this.#line = Buffer.from(line);
      return end;
    }
    const delimiter = this.#boundaries.take(line);
    if (!delimiter) return behind;
    this.#enter(delimiter);
    return end;
  }
}
