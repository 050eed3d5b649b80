import type { Folding } from "./folding.ts";

/** A word of a text, as it stands and as it is read, and the white space in front of it. */
export type Word = {
  readonly space: string;
  readonly raw: string;
  /** What a reader sees: of a quoted string its content. */
  readonly text: string;
};

const FOREIGN = /[^\0-\x7f]/;
const ENCODED = /^=\?[^?]+\?[BbQq]\?[^?]*\?=$/;

/** Whether a text holds anything beyond ASCII. */
export function isForeign(text: string): boolean {
  return FOREIGN.test(text);
}

/** Takes the folds out of white space or of a text (RFC 5322 §2.2.3). */
export function unfold(text: string): string {
  return text.includes("\n") ? text.replace(/\r?\n/g, "") : text;
}

/**
 * Writes words, those beyond ASCII as encoded words (RFC 2047 §5). White space between two encoded words is not shown
 * (§6.2), so what stands between two of them goes into one of them. `glued`: the first may follow what is before it
 * without white space.
 */
export function writeWords(out: Folding, words: readonly Word[], glued: boolean): void {
  // An encoded word was the last.
  let encoded = false;
  for (let i = 0; i < words.length;) {
    const word = words[i] as Word;
    if (!isForeign(word.raw)) {
      out.add(word.space || (encoded ? " " : ""), word.raw);
      encoded = ENCODED.test(word.raw);
      i += 1;
      continue;
    }
    let text = (encoded ? unfold(word.space) : "") + word.text;
    let next = i + 1;
    for (; next < words.length && isForeign((words[next] as Word).raw); next += 1) {
      const more = words[next] as Word;
      text += unfold(more.space) + more.text;
    }
    const behind = words[next];
    if (behind && ENCODED.test(behind.raw)) text += unfold(behind.space);
    out.encoded(word.space || (glued && i === 0 ? "" : " "), text);
    encoded = true;
    i = next;
  }
}

/** Writes a text that has no structure (RFC 2047 §5 (1)); gives the white space at its end. */
export function writeText(out: Folding, text: string): string {
  let end = text.length;
  while (isSpace(text[end - 1])) end -= 1;
  const words: Word[] = [];
  for (const [, space = "", raw = ""] of text.slice(0, end).matchAll(/([ \t\r\n]*)([^ \t\r\n]+)/g)) {
    words.push({ space, raw, text: raw });
  }
  writeWords(out, words, false);
  return text.slice(end);
}

function isSpace(letter: string | undefined): boolean {
  return letter === " " || letter === "\t" || letter === "\r" || letter === "\n";
}

// A parenthesis, or a word of a comment with its quoted pairs (RFC 5322 §3.2.2).
const COMMENT_PART = /([ \t\r\n]*)(?:([()])|((?:\\[^]|[^ \t\r\n()\\])+|\\$))/g;

/** Writes a comment, parentheses and all, the words in it as encoded words (RFC 2047 §5 (2)). */
export function writeComment(out: Folding, space: string, comment: string): void {
  // White space around a comment changes nothing.
  out.mayBreak();
  if (!isForeign(comment)) {
    out.add(space, comment);
    return out.mayBreak();
  }
  let words: Word[] = [];
  let end = 0;
  let before = space;
  for (const [whole, inner = "", parenthesis, raw = ""] of comment.matchAll(COMMENT_PART)) {
    end += whole.length;
    if (parenthesis === undefined) {
      words.push({ space: inner, raw, text: raw.replace(/\\([^])/g, "$1") });
      continue;
    }
    writeWords(out, words, true);
    words = [];
    out.add(before || inner, parenthesis);
    out.mayBreak();
    before = "";
  }
  writeWords(out, words, true);
  out.add("", comment.slice(end));
}
