/** What stands in place of a line that was longer than the bound. */
export const OVERLONG = Symbol("overlong line");

/** A line as latin1 text without its end; a NUL is an octet like any other. */
export type Line = string | typeof OVERLONG;

export type LineOptions = {
  /** The longest line that is taken, its end included. */
  readonly maximum: number;
  /** Whether a bare LF ends a line, or only CRLF does. */
  readonly bareLf: boolean;
};

// Text is made of so much at once: a burst of commands costs one conversion, and content that follows them costs little.
const WINDOW = 2048;
const EMPTY: Buffer = Buffer.alloc(0);
const CR = 13;

/**
 * Splits octets that come in pieces into lines, on demand: whoever asks may stop at any line and take the octets behind
 * it as they are. Never holds more of a line than the bound: the rest of an overlong one is dropped as it comes.
 */
export class LineSplitter {
  readonly #maximum: number;
  readonly #end: "\n" | "\r\n";
  #octets: Buffer = EMPTY;
  // Where the next line begins.
  #at = 0;
  // Latin1 text of the octets from #base on: an index into it is an index into the octets.
  #text = "";
  #base = 0;
  #skipping = false;
  #skipped = 0;

  constructor(options: LineOptions) {
    this.#maximum = options.maximum;
    this.#end = options.bareLf ? "\n" : "\r\n";
  }

  /** Octets that were pushed and not taken yet. */
  get held(): number {
    return this.#octets.length - this.#at;
  }

  /** Octets dropped so far of the overlong line that has not ended yet. */
  get skipped(): number {
    return this.#skipped;
  }

  push(piece: Buffer): void {
    const rest = this.held;
    this.#octets = rest === 0 ? piece : Buffer.concat([this.#octets.subarray(this.#at), piece], rest + piece.length);
    this.#at = 0;
    this.#base = 0;
    this.#text = "";
  }

  /** The next whole line, or OVERLONG as soon as one is known to be; undefined: more octets are needed. */
  next(): Line | undefined {
    if (this.#skipping && !this.#skip()) return undefined;
    let found = this.#text.indexOf(this.#end, this.#at - this.#base);
    if (found < 0) found = this.#widen();
    if (found < 0) return this.#unfinished();
    const text = this.#text;
    const start = this.#at - this.#base;
    const octets = found + this.#end.length - start;
    this.#advance(octets);
    if (octets > this.#maximum) return OVERLONG;
    const withCr = this.#end === "\n" && found > start && text.charCodeAt(found - 1) === CR;
    return text.slice(start, withCr ? found - 1 : found);
  }

  /** What is held, as octets; valid until the next `push`. */
  rest(): Buffer {
    return this.#at === 0 ? this.#octets : this.#octets.subarray(this.#at);
  }

  /** Takes so many octets away from what is held. */
  drop(octets: number): void {
    this.#advance(octets);
  }

  #advance(octets: number): void {
    this.#at += octets;
    if (this.#at < this.#octets.length) return;
    // Nothing is held: an idle session keeps no buffer alive.
    this.#octets = EMPTY;
    this.#at = 0;
    this.#base = 0;
    this.#text = "";
  }

  // Moves the window to where the next line begins and gives the place of its end within it.
  #widen(): number {
    if (this.#base + this.#text.length === this.#octets.length && this.#text !== "") return -1;
    let size = WINDOW;
    for (;;) {
      this.#text = this.#octets.toString("latin1", this.#at, Math.min(this.#at + size, this.#octets.length));
      this.#base = this.#at;
      const found = this.#text.indexOf(this.#end);
      if (found >= 0 || this.#text.length < size || size >= this.#maximum) return found;
      size = this.#maximum;
    }
  }

  #unfinished(): Line | undefined {
    if (this.held < this.#maximum) return undefined;
    this.#skipping = true;
    this.#skip();
    return OVERLONG;
  }

  // Drops the rest of an overlong line; true once its end was found.
  #skip(): boolean {
    const found = this.#octets.indexOf(this.#end, this.#at, "latin1");
    if (found >= 0) {
      this.#skipping = false;
      this.#skipped = 0;
      this.#advance(found + this.#end.length - this.#at);
      return true;
    }
    // A CR may be the first half of the end.
    const kept = this.#end === "\r\n" && this.#octets.at(-1) === CR ? 1 : 0;
    const dropped = Math.max(0, this.held - kept);
    this.#skipped += dropped;
    this.#advance(dropped);
    return false;
  }
}
