/** A token of a structured field (RFC 5322 §3.2), and the white space in front of it. */
export type Token = {
  readonly kind: "word" | "quoted" | "comment" | "special";
  readonly space: string;
  readonly raw: string;
};

const SPACE = /[ \t\r\n]*/y;
const QUOTED = /"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const LITERAL = /\[[^[\]\\ \t\r\n]*\]/y;
// Dots and the like belong to the words: what people and programs write is less strict than an atom.
const WORD = /(?:[^ \t\r\n"(<>,:;@\\]|\\[^])+/y;
// In parameters: `name=a(1).pdf` has no comment, though it should be quoted.
const PARAMETER_WORD = /(?:[^ \t\r\n"(<>,:;@\\]|\\[^]|\()(?:[^ \t\r\n"<>,:;@\\]|\\[^])*/y;

/**
 * Cuts the value of a structured field into tokens; undefined where a quoted string or a comment does not end. `end` is the
 * white space behind the last one.
 */
export function tokenize(
  value: string,
  parameters = false,
): { readonly tokens: readonly Token[]; readonly end: string } | undefined {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(value)?.[0] ?? "";
    at += found.length;
    return found;
  };
  for (;;) {
    const space = take(SPACE);
    if (at === value.length) return { tokens, end: space };
    const first = value[at];
    if (first === '"') {
      const raw = take(QUOTED);
      if (raw === "") return undefined;
      tokens.push({ kind: "quoted", space, raw });
    } else if (first === "(") {
      const end = endOfComment(value, at);
      if (end === undefined) return undefined;
      tokens.push({ kind: "comment", space, raw: value.slice(at, end) });
      at = end;
    } else {
      const raw = (first === "[" && take(LITERAL)) || take(parameters ? PARAMETER_WORD : WORD);
      if (raw !== "") tokens.push({ kind: "word", space, raw });
      else tokens.push({ kind: "special", space, raw: value.slice(at, ++at) });
    }
  }
}

/** Where the comment ends that begins at `from`; comments nest (RFC 5322 §3.2.2). */
function endOfComment(value: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < value.length; at += 1) {
    const letter = value[at];
    if (letter === "\\") at += 1;
    else if (letter === "(") depth += 1;
    else if (letter === ")") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

/** What a token says: the content of a quoted string, anything else as it is. */
export function textOf({ kind, raw }: Token): string {
  return kind === "quoted"
    ? raw
        .slice(1, -1)
        .replace(/\r?\n/g, "")
        .replace(/\\([^])/g, "$1")
    : raw;
}
