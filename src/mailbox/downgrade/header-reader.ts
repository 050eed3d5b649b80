import type { Boundaries } from "./boundaries.ts";
import type { FieldConverter } from "./field.ts";
import { columnAfter } from "./folding.ts";
import type { Output } from "./output.ts";

/** How a header ended: by the line behind it, or by a delimiter of a multipart around it. */
export type HeaderEnd = "blank" | "part" | "close";

/** A longer field is converted in stretches, as text. */
export const FIELD_OCTETS = 64 * 1024;
const FIRST_OCTETS = 2048;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const NOTHING = Buffer.alloc(0);
const MIME_FIELD = /^content-(type|transfer-encoding)[ \t]*:/i;

/** Reads one header and converts its fields. A field that does not lie in one piece is held until its end is seen. */
export class HeaderReader {
  /** The values of these fields as they leave, in latin1; undefined: the header has none (so far). */
  type: string | undefined;
  encoding: string | undefined;
  /** Parts without a type of their own are messages here. */
  readonly inDigest: boolean;
  readonly #boundaries: Boundaries;
  readonly #converter: FieldConverter;
  #held = NOTHING;
  #length = 0;
  // The last octet held is within a line.
  #inLine = false;
  // What is held has not got beyond its first line.
  #firstLine = true;
  // Of the field under the reader stretches have left, up to this column.
  #column: number | undefined;

  constructor(boundaries: Boundaries, converter: FieldConverter, inDigest: boolean) {
    this.#converter = converter;
    this.#boundaries = boundaries;
    this.inDigest = inDigest;
  }

  /** Reads from `from`; gives where it stopped, and how the header ended or undefined where the piece did. */
  read(piece: Buffer, from: number, out: Output): { readonly at: number; readonly end: HeaderEnd | undefined } {
    for (let at = from; at < piece.length;) {
      if (!this.#holds) {
        const lineFeed = piece.indexOf(LF, at);
        const end = lineFeed < 0 ? undefined : this.#endOfHeader(piece.subarray(at, lineFeed + 1));
        if (end) return { at: lineFeed + 1, end };
        const next = lineFeed < 0 ? undefined : endOfField(piece, lineFeed);
        if (next !== undefined && next - at <= FIELD_OCTETS) {
          const converted = this.#convert(piece.subarray(at, next));
          if (converted) out.replace(at, next, converted);
          at = next;
          continue;
        }
      } else if (!this.#inLine && !isBlank(piece[at])) {
        out.replace(at, at, this.end());
        continue;
      }
      if (this.#length === FIELD_OCTETS) out.replace(at, at, this.#stretch());
      const taken = this.#hold(piece, at);
      out.replace(at, taken, NOTHING);
      at = taken;
      const end = this.#endOfFirstLine();
      if (!end) continue;
      out.replace(at, at, this.#release());
      return { at, end };
    }
    return { at: piece.length, end: undefined };
  }

  /** The field that is held has ended: gives what becomes of it. */
  end(): Uint8Array {
    const held = this.#held.subarray(0, this.#length);
    // The last line of a message may lack its end and be a delimiter all the same.
    const isDelimiter = this.#firstLine && this.#column === undefined && this.#endOfHeader(held) !== undefined;
    const converted = isDelimiter
      ? undefined
      : this.#column === undefined
        ? this.#convert(held)
        : this.#converter.stretch(held, this.#column);
    const kept = this.#release();
    return converted ?? kept;
  }

  get #holds(): boolean {
    return this.#length > 0 || this.#column !== undefined;
  }

  /** A line that is no field: the header has ended. */
  #endOfHeader(line: Uint8Array): HeaderEnd | undefined {
    if (line[0] === LF || (line[0] === CR && line[1] === LF)) return "blank";
    return this.#boundaries.take(line);
  }

  #endOfFirstLine(): HeaderEnd | undefined {
    if (this.#inLine || !this.#firstLine) return undefined;
    this.#firstLine = false;
    return this.#column === undefined ? this.#endOfHeader(this.#held.subarray(0, this.#length)) : undefined;
  }

  /** Converts a whole field and notes what it says of the body. */
  #convert(field: Uint8Array): Uint8Array | undefined {
    const converted = this.#converter.field(field);
    // What leaves is what counts, so that a second conversion would find the same parts.
    const leaving = converted ?? field;
    this.#note(leaving, leaving.length <= FIELD_OCTETS);
    return converted;
  }

  /** `isWhole`: it will be held whole when it comes again; else it says nothing. */
  #note(field: Uint8Array, isWhole: boolean): void {
    if (field[0] !== 0x43 && field[0] !== 0x63) return;
    const text = Buffer.from(field.buffer, field.byteOffset, field.length).toString("latin1");
    const [head = "", name = ""] = MIME_FIELD.exec(text) ?? [];
    if (head === "") return;
    const value = isWhole ? text.slice(head.length) : "";
    if (name.toLowerCase() === "type") this.type ??= value;
    else this.encoding ??= value;
  }

  /** Holds octets of one line, as many as there is room for; gives where it stopped. */
  #hold(piece: Buffer, at: number): number {
    const lineFeed = piece.indexOf(LF, at);
    const end = Math.min(lineFeed < 0 ? piece.length : lineFeed + 1, at + FIELD_OCTETS - this.#length);
    const length = this.#length + end - at;
    if (length > this.#held.length) {
      const larger = Buffer.alloc(Math.min(FIELD_OCTETS, Math.max(FIRST_OCTETS, 2 * length)));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    piece.copy(this.#held, this.#length, at, end);
    this.#length = length;
    this.#inLine = piece[end - 1] !== LF;
    return end;
  }

  /** There is no more room: converts the first half at least of what is held, up to white space if there is any. */
  #stretch(): Uint8Array {
    const cut = placeToCut(this.#held);
    const stretch = this.#held.subarray(0, cut);
    const isFirst = this.#column === undefined;
    const converted = isFirst ? this.#converter.field(stretch) : this.#converter.stretch(stretch, this.#column ?? 0);
    if (isFirst) this.#note(stretch, false);
    const octets = converted ?? Buffer.from(stretch);
    this.#column = columnAfter(this.#column ?? 0, Buffer.from(octets).toString("latin1"));
    this.#held.copyWithin(0, cut, this.#length);
    this.#length -= cut;
    return octets;
  }

  /** Gives the octets held, and holds none. */
  #release(): Uint8Array {
    const held = Buffer.from(this.#held.subarray(0, this.#length));
    this.#length = 0;
    this.#inLine = false;
    this.#firstLine = true;
    this.#column = undefined;
    return held;
  }
}

/** Where the field ends whose first line ends at `lineFeed`; undefined: the piece does not tell. */
function endOfField(piece: Buffer, lineFeed: number): number | undefined {
  let end = lineFeed;
  while (end >= 0 && end + 1 < piece.length) {
    if (!isBlank(piece[end + 1])) return end + 1;
    end = piece.indexOf(LF, end + 1);
  }
  return undefined;
}

/** A line that begins so goes on with the field before it (RFC 5322 §2.2.3). */
function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB;
}

/** Cuts no character and no line end in two. */
function placeToCut(held: Buffer): number {
  let cut = held.lastIndexOf(SPACE);
  if (cut < held.length / 2) {
    cut = held.length - 1;
    // A character has four octets at most; what has more of these is not UTF-8.
    for (let i = 0; i < 3 && ((held[cut] ?? 0) & 0xc0) === 0x80; i += 1) cut -= 1;
  }
  while (held[cut - 1] === LF || held[cut - 1] === CR) cut -= 1;
  return cut;
}
