import { parseDomain } from "../../model/address.ts";
import type { Folding } from "./folding.ts";
import { textOf, type Token, tokenize } from "./tokens.ts";
import { isForeign, unfold, type Word, writeComment, writeWords } from "./words.ts";

/** What stands for an address that has no form in ASCII; "none": the field has no place for it. */
type Surrogate = "group" | "comment" | "none";

/** One element of a list, up to the delimiter behind it. `angle` holds its brackets. */
type Element = {
  readonly before: readonly Token[];
  readonly angle: readonly Token[];
  readonly behind: readonly Token[];
  readonly delimiter: Token | undefined;
};

/**
 * Writes a list of addresses (RFC 5322 §3.4): names and comments as encoded words, domains as A-labels. An address whose
 * local part is beyond ASCII has no form in ASCII: as in RFC 6857 §3.1 it becomes part of the name of an empty group,
 * `=?UTF-8?B?…?= :;`, and inside a group, where no other may stand, a comment. Gives the white space at the end;
 * undefined: the value is no such list, or (`groups` false) it needs a group and the field may not hold one.
 */
export function writeAddresses(out: Folding, value: string, groups: boolean): string | undefined {
  const found = tokenize(value);
  const elements = found && elementsOf(found.tokens);
  if (!elements) return undefined;
  let inGroup = false;
  for (const element of elements) {
    const delimiter = element.delimiter?.raw;
    if (delimiter === ":" && (inGroup || element.angle.length > 0)) return undefined;
    const surrogate = !groups ? "none" : inGroup ? "comment" : "group";
    if (!writeElement(out, element, surrogate)) return undefined;
    if (element.delimiter) out.add(element.delimiter.space, element.delimiter.raw);
    out.mayBreak();
    inGroup = delimiter === ":" || (inGroup && delimiter !== ";");
  }
  return found.end;
}

function elementsOf(tokens: readonly Token[]): readonly Element[] | undefined {
  const elements: Element[] = [];
  let before: Token[] = [];
  let angle: Token[] = [];
  let behind: Token[] = [];
  let at: "before" | "angle" | "behind" = "before";
  for (const token of tokens) {
    const special = token.kind === "special" ? token.raw : "";
    if (at === "angle") {
      angle.push(token);
      if (special === ">") at = "behind";
    } else if (special === "<") {
      if (at === "behind") return undefined;
      angle.push(token);
      at = "angle";
    } else if (special === "," || special === ";" || special === ":") {
      elements.push({ before, angle, behind, delimiter: token });
      [before, angle, behind, at] = [[], [], [], "before"];
    } else (at === "before" ? before : behind).push(token);
  }
  if (at === "angle") return undefined;
  elements.push({ before, angle, behind, delimiter: undefined });
  return elements;
}

function writeElement(out: Folding, element: Element, surrogate: Surrogate): boolean {
  const { before, angle, behind, delimiter } = element;
  if (angle.length > 0) return writeMailbox(out, before, angle, surrogate) && writePhrase(out, behind);
  const isAddress = delimiter?.raw !== ":" && before.some(({ kind, raw }) => kind === "special" && raw === "@");
  return isAddress ? writeBareAddress(out, before, surrogate) : writePhrase(out, before);
}

/** `name <address>`. */
function writeMailbox(out: Folding, name: readonly Token[], angle: readonly Token[], surrogate: Surrogate): boolean {
  const written = angle.map(({ space, raw }, i) => (i === 0 ? "" : space) + raw).join("");
  const space = angle[0]?.space ?? "";
  const address = unfold(written.slice(1, -1)).trim();
  const ascii = isForeign(written) ? asciiAddress(address) : written.slice(1, -1);
  if (ascii === undefined) return writeSurrogate(out, name, space, address, surrogate);
  writePhrase(out, name);
  out.mayBreak();
  // A space parts it from an encoded word (RFC 2047 §5 (3)).
  const parting = name.some(({ raw }) => isForeign(raw)) ? " " : "";
  out.add(space || parting, `<${ascii}>`);
  out.mayBreak();
  return true;
}

/** `address`, which may have comments around it. */
function writeBareAddress(out: Folding, tokens: readonly Token[], surrogate: Surrogate): boolean {
  const first = tokens.findIndex(({ kind }) => kind !== "comment");
  const last = tokens.findLastIndex(({ kind }) => kind !== "comment");
  const inner = tokens.slice(first, last + 1);
  const space = inner[0]?.space ?? "";
  const written = inner.map(({ space: before, raw }, i) => (i === 0 ? "" : before) + raw).join("");
  writePhrase(out, tokens.slice(0, first));
  const ascii = isForeign(written) ? asciiAddress(written) : written;
  if (ascii !== undefined) out.add(space, ascii);
  else if (!writeSurrogate(out, [], space, unfold(written), surrogate)) return false;
  return writePhrase(out, tokens.slice(last + 1));
}

/** What stands for an address that has no form in ASCII, so that it can be read if not answered. */
function writeSurrogate(
  out: Folding,
  name: readonly Token[],
  space: string,
  address: string,
  surrogate: Surrogate,
): boolean {
  if (surrogate === "none") return false;
  const words = [
    ...wordsOf(name.filter(({ kind }) => kind !== "comment")),
    { space: " ", raw: address, text: address },
  ];
  if (surrogate === "comment") {
    out.add(space || " ", "(");
    writeWords(
      out,
      words.map((word, i) => (i === 0 ? { ...word, space: "" } : word)),
      true,
    );
    out.add("", ")");
  } else {
    writeWords(out, words, false);
    out.add(" ", ":;");
  }
  return writePhrase(
    out,
    name.filter(({ kind }) => kind === "comment"),
  );
}

/** Writes a phrase and the comments in it. */
function writePhrase(out: Folding, tokens: readonly Token[]): true {
  let words: Token[] = [];
  for (const token of tokens) {
    if (token.kind === "comment") {
      writeWords(out, wordsOf(words), false);
      words = [];
      writeComment(out, token.space, token.raw);
    } else words.push(token);
  }
  writeWords(out, wordsOf(words), false);
  return true;
}

/** The words of a phrase. One that holds what no phrase may hold without quotes, as an `@`, is encoded in one piece. */
function wordsOf(tokens: readonly Token[]): readonly Word[] {
  const words = tokens.map((token): Word => ({ space: token.space, raw: token.raw, text: textOf(token) }));
  if (!tokens.some(({ kind }) => kind === "special") || !words.some(({ raw }) => isForeign(raw))) return words;
  const text = words.map(({ space, text: word }, i) => (i === 0 ? "" : unfold(space)) + word).join("");
  return [{ space: words[0]?.space ?? "", raw: text, text }];
}

/** An address in ASCII, where only its domain is beyond it. */
export function asciiAddress(address: string): string | undefined {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, at);
  // RFC 5321 §4.5.3.1.1 ends a local part there.
  if (at < 1 || local.length > 64 || isForeign(local)) return undefined;
  const domain = parseDomain(address.slice(at + 1));
  return domain.ok ? `${local}@${domain.value}` : undefined;
}
