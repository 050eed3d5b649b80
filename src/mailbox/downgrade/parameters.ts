import { textOf, type Token, tokenize } from "./tokens.ts";
import { isForeign, unfold } from "./words.ts";

/** One parameter of a MIME field (RFC 2045 §5.1, RFC 2231). */
export type Parameter = {
  /** In lower case, without what RFC 2231 puts behind it. */
  readonly base: string;
  /** As written, without what RFC 2231 puts behind it. */
  readonly name: string;
  /** RFC 2231 §3: which part of the value this is. */
  readonly section: number | undefined;
  /** RFC 2231 §4: the value is percent-encoded. */
  readonly extended: boolean;
  readonly value: string;
};

/** What stands between two semicolons. */
export type Segment = {
  /** The semicolon in front of it. */
  readonly semicolon: Token | undefined;
  readonly tokens: readonly Token[];
  /** Those of the tokens that are comments: none in `name=文件 (1).pdf`, which should be quoted and is not. */
  readonly comments: readonly Token[];
  readonly parameter: Parameter | undefined;
};

/** More parameters than this are nobody's file name. */
const MOST_SEGMENTS = 200;
// A longer name would be repeated in each section of a value.
const NAME = /^([!#$&+\-.0-9A-Z^_`a-z{|}~]{1,60})(?:\*(0|[1-9]\d{0,4}))?(\*)?$/;
const CHARSET = /^([^']*)'[^']*'/;

/** Reads a MIME field: what stands before its parameters, and these; undefined: it cannot be read. */
export function readParameters(
  value: string,
): { readonly first: string; readonly parameters: readonly Parameter[] } | undefined {
  const found = tokenize(value, true);
  const segments = found && segmentsOf(found.tokens);
  if (!segments) return undefined;
  return {
    first: textWithoutComments(segments[0]?.tokens ?? []).trim(),
    parameters: segments.flatMap(({ parameter }) => parameter ?? []),
  };
}

/**
 * The octets of a value: its parts in their order, percent-encoding and charset taken away; undefined: the charset is
 * another one than UTF-8. `octets`: the parts are octets in a latin1 string already.
 */
export function valueOctets(parts: readonly Parameter[], octets = false): Buffer | undefined {
  const decoded: Buffer[] = [];
  for (const [i, { extended, value }] of inOrder(parts).entries()) {
    const [charset = "", name = ""] = (extended && i === 0 && CHARSET.exec(value)) || [];
    if (name !== "" && name.toLowerCase() !== "utf-8") return undefined;
    const part = Buffer.from(value.slice(charset.length), octets ? "latin1" : "utf8");
    decoded.push(extended ? percentDecoded(part) : part);
  }
  return Buffer.concat(decoded);
}

/** The parts of a value by number, each number once. */
export function inOrder(parts: readonly Parameter[]): readonly Parameter[] {
  const byNumber = new Map(parts.toReversed().map((part) => [part.section ?? 0, part]));
  return [...byNumber.values()].toSorted((a, b) => (a.section ?? 0) - (b.section ?? 0));
}

function percentDecoded(octets: Buffer): Buffer {
  const text = octets.toString("latin1");
  const decoded = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(decoded, "latin1");
}

/** Cuts the tokens at their semicolons. */
export function segmentsOf(tokens: readonly Token[]): readonly Segment[] | undefined {
  const segments: Segment[] = [];
  let semicolon: Token | undefined;
  let gathered: Token[] = [];
  const close = (): void => {
    const isLoose = semicolon !== undefined && gathered.some(({ kind, raw }) => kind === "word" && isForeign(raw));
    const comments = isLoose ? [] : gathered.filter(({ kind }) => kind === "comment");
    const said = isLoose ? gathered : gathered.filter(({ kind }) => kind !== "comment");
    segments.push({ semicolon, tokens: gathered, comments, parameter: semicolon && parameterOf(said) });
    gathered = [];
  };
  for (const token of tokens) {
    if (token.kind === "special" && token.raw === ";") {
      close();
      semicolon = token;
    } else gathered.push(token);
    if (segments.length > MOST_SEGMENTS) return undefined;
  }
  close();
  return segments;
}

/** Reads what a segment says, comments taken out. */
function parameterOf(tokens: readonly Token[]): Parameter | undefined {
  const text = tokens.map(({ space, raw }) => space + raw).join("");
  const equals = text.indexOf("=");
  const [, name, section, star] = NAME.exec(text.slice(0, Math.max(0, equals)).trim()) ?? [];
  if (name === undefined) return undefined;
  const value = text.slice(equals + 1).trim();
  const last = tokens.at(-1);
  return {
    base: name.toLowerCase(),
    name,
    section: section === undefined ? undefined : Number(section),
    extended: star !== undefined,
    value: last?.kind === "quoted" && last.raw === value ? textOf(last) : unfold(value),
  };
}

/** What tokens say, comments left out. */
export function textWithoutComments(tokens: readonly Token[]): string {
  return tokens.map(({ kind, space, raw }) => (kind === "comment" ? "" : space + raw)).join("");
}
