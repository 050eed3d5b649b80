import { isAscii, isUtf8 } from "node:buffer";
import { writeAddresses } from "./addresses.ts";
import { Folding, SHORTEST_WORD_OCTETS, WORD_OCTETS } from "./folding.ts";
import { writeStructured } from "./structured.ts";
import { isForeign, writeText } from "./words.ts";
import { writeParameters } from "./write-parameters.ts";

/** Writes the value of a field and gives the white space at its end; undefined: it cannot be read as what it should be. */
type Writer = (out: Folding, value: string) => string | undefined;

const addresses: Writer = (out, value) => writeAddresses(out, value, true);
const identifiers: Writer = () => undefined;
const path: Writer = (out, value) => writeAddresses(out, value, false);

// What is not here is text (RFC 5322 §3.6.8).
const WRITERS: ReadonlyMap<string, Writer> = new Map([
  ["bcc", addresses],
  ["cc", addresses],
  ["content-disposition", writeParameters],
  ["content-id", identifiers],
  ["content-transfer-encoding", writeStructured],
  ["content-type", writeParameters],
  ["date", writeStructured],
  ["disposition-notification-to", addresses],
  ["errors-to", addresses],
  ["from", addresses],
  ["in-reply-to", identifiers],
  ["keywords", addresses],
  ["list-id", addresses],
  ["mail-followup-to", addresses],
  ["mail-reply-to", addresses],
  ["message-id", identifiers],
  ["mime-version", writeStructured],
  ["received", writeStructured],
  ["references", identifiers],
  ["reply-to", addresses],
  ["resent-bcc", addresses],
  ["resent-cc", addresses],
  ["resent-date", writeStructured],
  ["resent-from", addresses],
  ["resent-message-id", identifiers],
  ["resent-reply-to", addresses],
  ["resent-sender", addresses],
  ["resent-to", addresses],
  ["return-path", path],
  ["return-receipt-to", addresses],
  ["sender", addresses],
  ["to", addresses],
]);
// Text in these would be taken for an identifier or a path: RFC 6857 §3.1 gives it a field of another name.
const ENCAPSULATED: ReadonlySet<Writer | undefined> = new Set([identifiers, path]);

const FIELD = /^([!-9;-~]+)([ \t]*):/;
const LINE_END = /\r?\n$/;
/** White space that makes a field longer fits in a line of 998 octets. */
const MOST_PADDING = 900;

/** What is converted of one message, so that no message takes long: thousands of fields. */
const MOST_OCTETS = 512 * 1024;
/** A field costs something, however short it is. */
const FIELD_COST = 32;
const QUESTION_MARK = 0x3f;

/**
 * Converts the header fields of one message that are in UTF-8 beyond ASCII; undefined: what is ASCII, or not UTF-8 (an old
 * charset, which clients guess), goes as it is. In what comes after half a MiB of them question marks stand for octets.
 * `freeFields`: so many of the first ones are short, and do not count towards that.
 */
export class FieldConverter {
  #left = MOST_OCTETS;
  #free: number;

  constructor(freeFields: number) {
    this.#free = freeFields;
  }

  /** A field with its line end, folded or not; or the first stretch of one that is too long to be held. */
  field(field: Uint8Array): Uint8Array | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return isAscii(field) || !isUtf8(field) ? undefined : downgradeField(field);
    }
    return this.#costs(field, () => downgradeField(field));
  }

  /** Another stretch of such a field, which begins in this column. */
  stretch(stretch: Uint8Array, column: number): Uint8Array | undefined {
    return this.#costs(stretch, () => downgradeStretch(stretch, column));
  }

  #costs(octets: Uint8Array, convert: () => Uint8Array): Uint8Array | undefined {
    if (isAscii(octets) || !isUtf8(octets)) return undefined;
    // The message has grown by what was converted before, so these may keep their length.
    if (this.#left <= 0) return octets.map((octet) => (octet < 0x80 ? octet : QUESTION_MARK));
    this.#left -= octets.length + FIELD_COST;
    return convert();
  }
}

/**
 * Converts one header field with its line end, folded or not, in such a way that no octet beyond ASCII is left and the
 * result is longer.
 */
function downgradeField(field: Uint8Array): Buffer {
  const whole = Buffer.from(field.buffer, field.byteOffset, field.byteLength).toString();
  const end = LINE_END.exec(whole)?.[0] ?? "";
  const [head = "", name = ""] = FIELD.exec(whole) ?? [];
  const written = whole.slice(head.length, whole.length - end.length);
  const isField = name !== "";
  const writer = WRITERS.get(name.toLowerCase());
  // What is no field but stands in a header becomes one, so that the header goes on behind it.
  const textHead = isField ? (ENCAPSULATED.has(writer) ? `Downgraded-${head}` : head) : "Downgraded:";
  // A longer name and a long word may need two lines.
  const value = textHead === head || /^[ \t\r]/.test(written) ? written : ` ${written}`;
  const attempts: readonly Attempt[] = [
    ...(writer ? [{ head, write: writer, wordOctets: WORD_OCTETS }] : []),
    { head: textHead, write: writeText, wordOctets: WORD_OCTETS },
  ];
  for (const attempt of attempts) {
    const result = longer(attempt, value, end, field.length);
    if (result !== undefined) return Buffer.from(result, "latin1");
  }
  // Folds that are taken out of a text make it shorter; these words make it longer than any folds can have been.
  const out = new Folding(textHead.length, SHORTEST_WORD_OCTETS);
  return Buffer.from(textHead + out.finish(writeText(out, value), end), "latin1");
}

/** Converts a stretch of a field: always as text. */
function downgradeStretch(stretch: Uint8Array, column: number): Buffer {
  const whole = Buffer.from(stretch.buffer, stretch.byteOffset, stretch.byteLength).toString();
  const end = LINE_END.exec(whole)?.[0] ?? "";
  let written = "";
  for (const wordOctets of [WORD_OCTETS, SHORTEST_WORD_OCTETS]) {
    const out = new Folding(column, wordOctets);
    written = out.finish(writeText(out, whole.slice(0, whole.length - end.length)), end);
    if (written.length > stretch.length) break;
  }
  return Buffer.from(written, "latin1");
}

type Attempt = { readonly head: string; readonly write: Writer; readonly wordOctets: number };

/** Writes a field; undefined where that does not do. White space in front of the value makes up for octets that are missing. */
function longer({ head, write, wordOctets }: Attempt, value: string, end: string, octets: number): string | undefined {
  let written = "";
  for (let padding = 0; padding <= MOST_PADDING; padding += octets + 1 - written.length) {
    const out = new Folding(head.length, wordOctets);
    const space = write(out, " ".repeat(padding) + value);
    if (space === undefined) return undefined;
    written = head + out.finish(space, end);
    if (isForeign(written)) return undefined;
    if (written.length > octets) return written;
  }
  return undefined;
}
