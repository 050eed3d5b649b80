/** A line of a field that holds encoded words ends here (RFC 2047 §2). */
const LINE_COLUMNS = 76;
/** No line is longer, its CRLF not counted (RFC 5322 §2.1.1). */
const LINE_LIMIT = 998;
const WORD_FRAME = "=?UTF-8?B?".length + "?=".length;

/** Octets of text in one encoded word: 60 letters of Base64, 72 columns (RFC 2047 §2 allows 75). */
export const WORD_OCTETS = 45;
/** The shortest words that hold any character: what they make of a text is longer than it, however it was folded. */
export const SHORTEST_WORD_OCTETS = 6;

/**
 * Writes a field with lines of 76 columns where white space lets it. What is glued together stays so; a line grows beyond
 * 998 octets only where nothing in it can be parted.
 */
export class Folding {
  readonly #wordOctets: number;
  #text = "";
  #column: number;
  // What cannot be parted, not yet written, and the white space in front of it.
  #run = "";
  #space = "";
  #soft = false;
  #first = true;

  /** `column`: where in its line the text begins. */
  constructor(column: number, wordOctets: number) {
    this.#column = column;
    this.#wordOctets = wordOctets;
  }

  /** Adds text as it is; without white space in front it is glued to what came before. */
  add(space: string, text: string): void {
    if (space !== "") {
      this.#flush();
      this.#space = space;
    }
    this.#run += text;
  }

  /** A line may end here, though no white space does stand here. */
  mayBreak(): void {
    this.#flush();
    this.#soft = true;
  }

  /** Adds text as encoded words, no character in two of them (RFC 2047 §5 (3)). */
  encoded(space: string, text: string): void {
    this.#flush();
    let before = space;
    const octets = Buffer.byteLength(text);
    // A name that fits in one word is not cut to fill a line: some readers show a space where RFC 2047 §6.2 has none.
    const isWhole = !this.#first && octets <= this.#wordOctets;
    const least = isWhole ? octets : Math.min(this.#wordOctets, 2 * SHORTEST_WORD_OCTETS);
    for (let at = 0; at < text.length;) {
      before = this.#placed(before, least);
      const next = endOfWord(text, at, this.#room(columnAfter(this.#column, before)));
      this.#write(before, `=?UTF-8?B?${Buffer.from(text.slice(at, next)).toString("base64")}?=`);
      at = next;
      before = " ";
    }
    this.#space = "";
    this.#soft = false;
    this.#first = false;
  }

  /** Gives what was written, with the white space and the line end behind it. */
  finish(space: string, end: string): string {
    this.#flush();
    this.#write(space, end);
    return this.#text;
  }

  /** The white space in front of an encoded word, folded where too little of the line is left for one. */
  #placed(space: string, least: number): string {
    if (this.#column === 0 || this.#room(columnAfter(this.#column, space)) >= least) return space;
    const folded = space.includes("\n") ? space : `\r\n${space || " "}`;
    return this.#room(columnAfter(0, folded)) >= least ? folded : parted(folded);
  }

  /** Octets of text in an encoded word that begins in this column; a parenthesis behind it has its room. */
  #room(column: number): number {
    return Math.min(this.#wordOctets, Math.floor((LINE_COLUMNS - 1 - column - WORD_FRAME) / 4) * 3);
  }

  #flush(): void {
    if (this.#run === "") return;
    let space = this.#space;
    const columns = firstLine(this.#run);
    const limit = this.#first ? LINE_LIMIT : LINE_COLUMNS;
    const mayFold = (space !== "" || this.#soft) && !space.includes("\n") && this.#column > 0;
    if (mayFold && this.#column + space.length + columns > limit) space = `\r\n${space || " "}`;
    if (columnAfter(this.#column, space) + columns > LINE_LIMIT) space = parted(space);
    this.#write(space, this.#run);
    this.#run = "";
    this.#space = "";
    this.#soft = false;
    this.#first = false;
  }

  #write(space: string, text: string): void {
    // White space that was folded, behind what has grown.
    const isTooWide = isBlank(space[0]) && this.#column > 0 && this.#column + firstLine(space) > LINE_LIMIT;
    const written = (isTooWide ? "\r\n" : "") + space + text;
    this.#text += written;
    this.#column = columnAfter(this.#column, written);
  }
}

function isBlank(letter: string | undefined): boolean {
  return letter === " " || letter === "\t";
}

/** White space with a fold in front of its last octet; what has one octet in its last line stays. */
function parted(space: string): string {
  return columnAfter(0, space) < 2 ? space : `${space.slice(0, -1)}\r\n${space.slice(-1)}`;
}

/** The column behind a text that begins in `column`. */
export function columnAfter(column: number, text: string): number {
  const lineFeed = text.lastIndexOf("\n");
  return lineFeed < 0 ? column + text.length : text.length - lineFeed - 1;
}

function firstLine(text: string): number {
  const lineFeed = text.indexOf("\n");
  return lineFeed < 0 ? text.length : lineFeed;
}

/** Where the encoded word ends that begins at `at`: whole characters, `most` octets of UTF-8 together, one at least. */
function endOfWord(text: string, at: number, most: number): number {
  let octets = 0;
  let end = at;
  while (end < text.length) {
    const point = text.codePointAt(end) ?? 0;
    octets += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (octets > most && end > at) break;
    end += point < 0x10000 ? 1 : 2;
  }
  return end;
}
