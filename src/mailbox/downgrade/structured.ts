import { parseDomain } from "../../model/address.ts";
import { asciiAddress } from "./addresses.ts";
import type { Folding } from "./folding.ts";
import { type Token, textOf, tokenize } from "./tokens.ts";
import { isForeign, unfold, writeComment, writeWords } from "./words.ts";

/**
 * Writes a structured field that has no words for people but its comments, as Received or Date. A domain becomes A-labels;
 * what has no form in ASCII becomes a comment, since no encoded word may stand outside of one (RFC 2047 §5): "for" of a
 * Received field with it. Gives the white space at the end; undefined: the value cannot be read.
 */
export function writeStructured(out: Folding, value: string): string | undefined {
  const found = tokenize(value);
  if (!found) return undefined;
  const { tokens, end } = found;
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i] as Token;
    const clause = token.raw.toLowerCase() === "for" ? angleAt(tokens, i + 1) : undefined;
    const angle = clause ?? angleAt(tokens, i);
    if (angle && isForeign(angle.text)) {
      const ascii = asciiAddress(angle.text);
      const leading = clause ? "for " : "";
      if (ascii === undefined) writeAsComment(out, token.space, `${leading}<${angle.text}>`);
      else out.add(token.space, `${leading}<${ascii}>`);
      i = angle.end;
    } else if (token.kind === "comment") writeComment(out, token.space, token.raw);
    else if (!isForeign(token.raw)) out.add(token.space, token.raw);
    else writeForeign(out, token);
    if (token.kind === "special") out.mayBreak();
  }
  return end;
}

/** What stands between angle brackets, and the index of the closing one. */
function angleAt(tokens: readonly Token[], at: number): { readonly text: string; readonly end: number } | undefined {
  if (tokens[at]?.raw !== "<") return undefined;
  // An address has few tokens; a far bracket is none of its own.
  const close = tokens.slice(at, at + 32).findIndex(({ raw }) => raw === ">");
  if (close < 0) return undefined;
  const inner = tokens.slice(at + 1, at + close);
  return { text: unfold(inner.map(({ space, raw }) => space + raw).join("")).trim(), end: at + close };
}

function writeForeign(out: Folding, token: Token): void {
  const domain = token.kind === "word" ? parseDomain(token.raw) : undefined;
  if (domain?.ok) out.add(token.space, domain.value);
  else writeAsComment(out, token.space, textOf(token));
}

function writeAsComment(out: Folding, space: string, text: string): void {
  out.mayBreak();
  out.add(space || " ", "(");
  writeWords(out, [{ space: "", raw: text, text }], true);
  out.add("", ")");
  out.mayBreak();
}
