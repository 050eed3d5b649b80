import type { Folding } from "./folding.ts";
import { inOrder, type Parameter, type Segment, segmentsOf, textWithoutComments, valueOctets } from "./parameters.ts";
import { tokenize } from "./tokens.ts";
import { isForeign, writeComment } from "./words.ts";

const LINE_COLUMNS = 76;
const PLAIN_LENGTH = 900;
// attribute-char of RFC 2231 §7.
const ATTRIBUTE = /[!#$&+\-.0-9A-Z^_`a-z{|}~]/;

/**
 * Writes a MIME field with parameters: values beyond ASCII are percent-encoded (RFC 2231 §4), long ones in sections (§3).
 * Gives the white space at the end; undefined where something else than a value or a comment is beyond ASCII.
 */
export function writeParameters(out: Folding, value: string): string | undefined {
  const found = tokenize(value, true);
  const segments = found && segmentsOf(found.tokens);
  if (!segments) return undefined;
  const values = saidBy(segments);
  for (const { semicolon, tokens, comments, parameter } of segments) {
    const said = parameter && values.get(parameter.base);
    const parts = parameter?.section === undefined ? [] : (said?.foreignParts ?? []);
    // One parameter takes the place of all parts.
    const omitted = parts.length > 0 && parts[0] !== parameter;
    if (semicolon && !omitted) {
      out.add(semicolon.space, ";");
      out.mayBreak();
    }
    const asItIs = parts.length === 0 && !isForeign(textWithoutComments(tokens));
    if (!asItIs && !omitted) {
      const space = tokens[0]?.space || " ";
      if (!parameter || !said || !writeParameter(out, space, parameter, said)) return undefined;
    }
    for (const token of asItIs ? tokens : comments) {
      if (token.kind === "comment") writeComment(out, token.space, token.raw);
      else out.add(token.space, token.raw);
    }
  }
  return found.end;
}

/** What is said of one value, in one parameter or in several. */
type Said = {
  /** All parts in order of a value that comes in parts (RFC 2231 §3), where any of them is beyond ASCII. */
  readonly foreignParts: readonly Parameter[];
  /** It is there in a form of RFC 2231. */
  readonly inBetterForm: boolean;
};

function saidBy(segments: readonly Segment[]): ReadonlyMap<string, Said> {
  const parameters = segments.flatMap(({ parameter }) => parameter ?? []);
  return new Map(
    [...Map.groupBy(parameters, ({ base }) => base)].map(([base, all]) => {
      const parts = all.filter(({ section }) => section !== undefined);
      const foreignParts = parts.some(({ value }) => isForeign(value)) ? inOrder(parts) : [];
      return [base, { foreignParts, inBetterForm: all.some(({ extended }) => extended) || parts.length > 0 }];
    }),
  );
}

function writeParameter(out: Folding, space: string, parameter: Parameter, said: Said): boolean {
  const { name, extended, section, value } = parameter;
  if (!extended && section === undefined && said.inBetterForm) return writePlain(out, space, name, value);
  const octets = valueOctets(section === undefined ? [parameter] : said.foreignParts);
  if (!octets) return false;
  writeExtended(out, space, name, octets);
  return true;
}

/** For readers who know no other form, where the value in another form is there too. */
function writePlain(out: Folding, space: string, name: string, value: string): boolean {
  const plain = value.replace(/[^ -~]/gu, "_").replace(/["\\]/g, "\\$&");
  if (plain.length > PLAIN_LENGTH) return false;
  out.add(space, `${name}="${plain}"`);
  return true;
}

function writeExtended(out: Folding, space: string, name: string, octets: Buffer): void {
  const letters = percentEncoded(octets);
  const whole = `${name}*=UTF-8''${letters.join("")}`;
  if (whole.length < LINE_COLUMNS - 1) return out.add(space, whole);
  let before = space;
  let section = `${name}*0*=UTF-8''`;
  let number = 0;
  let filled = false;
  for (const letter of letters) {
    if (filled && section.length + letter.length > LINE_COLUMNS - 2) {
      out.add(before, `${section};`);
      before = " ";
      number += 1;
      section = `${name}*${number}*=`;
    }
    section += letter;
    filled = true;
  }
  out.add(before, section);
}

/** The octets, percent-encoded where they must be; each item a whole character. */
function percentEncoded(octets: Buffer): readonly string[] {
  const letters: string[] = [];
  for (const octet of octets) {
    const letter = String.fromCharCode(octet);
    const encoded = ATTRIBUTE.test(letter) ? letter : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
    // A continuation octet of UTF-8 belongs to what is before it, of which there are four at most.
    const last = letters.at(-1) ?? "";
    if ((octet & 0xc0) === 0x80 && last.startsWith("%") && last.length < 12)
      letters[letters.length - 1] = last + encoded;
    else letters.push(encoded);
  }
  return letters;
}
