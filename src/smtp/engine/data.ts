const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** Where in a line the next octet stands. */
const START = 0;
const INSIDE = 1;
const AFTER_CR = 2;
const AFTER_DOT = 3;
const AFTER_DOT_CR = 4;

/**
 * Reads the content that follows DATA (RFC 5321 §4.5.2): finds its end, which is CRLF.CRLF and nothing else, and takes
 * the stuffing dots away. It copies nothing: the content comes out as ranges of the input. The same input cut anywhere
 * gives the same content. A bare CR or LF never ends anything, so that no other server can have seen another end.
 */
export class DataCodec {
  /** Some line of the content starts with a dot. */
  dotted = false;
  /** A CR or LF has stood alone (RFC 5321 §2.3.8); what was read is not to be kept. */
  bare = false;
  #state = START;

  /** Reads a piece and adds its ranges of content; gives where the piece goes on after the end, or -1 before it. */
  read(input: Uint8Array, ranges: Uint8Array[]): number {
    const { length } = input;
    let state = this.#state;
    let begin = 0;
    let i = 0;
    while (i < length) {
      const octet = input[i] as number;
      if (state === INSIDE) {
        if (octet > CR) {
          i = lineEnd(input, i + 1);
          continue;
        }
        if (octet === CR) state = AFTER_CR;
        else if (octet === LF) this.bare = true;
        i += 1;
      } else if (state === AFTER_CR) {
        // What follows a bare CR is looked at again as part of the line.
        if (octet === LF) i += 1;
        else this.bare = true;
        state = octet === LF ? START : INSIDE;
      } else if (state === START) {
        if (octet === DOT) {
          if (i > begin) ranges.push(input.subarray(begin, i));
          i += 1;
          begin = i;
        }
        state = octet === DOT ? AFTER_DOT : INSIDE;
      } else if (state === AFTER_DOT) {
        if (octet === DOT) this.dotted = true;
        if (octet === CR) i += 1;
        state = octet === CR ? AFTER_DOT_CR : INSIDE;
      } else {
        if (octet === LF) {
          this.#state = START;
          return i + 1;
        }
        this.bare = true;
        state = INSIDE;
      }
    }
    this.#state = state;
    // The CR behind a dot is content only in a line that is refused anyway.
    if (state !== AFTER_DOT_CR && length > begin) ranges.push(input.subarray(begin, length));
    return -1;
  }
}

/** The index of the next octet that may end a line, or of the end: the loop where reception spends its time. */
function lineEnd(input: Uint8Array, from: number): number {
  const { length } = input;
  let i = from;
  while (i < length && (input[i] as number) > CR) i += 1;
  return i;
}

/** Checks the lines of what comes by BDAT (RFC 3030 §2; BINARYMIME is not offered): nothing is stuffed, the count ends it. */
export class ChunkCodec {
  dotted = false;
  bare = false;
  #state = START;

  read(input: Uint8Array): void {
    const { length } = input;
    let state = this.#state;
    for (let i = 0; i < length; i += 1) {
      const octet = input[i] as number;
      if (state === AFTER_CR && octet !== LF) this.bare = true;
      if (octet === CR) state = AFTER_CR;
      else if (octet === LF) {
        if (state !== AFTER_CR) this.bare = true;
        state = START;
      } else {
        if (state === START && octet === DOT) this.dotted = true;
        state = INSIDE;
        i = lineEnd(input, i + 1) - 1;
      }
    }
    this.#state = state;
  }

  /** The last chunk is in. */
  end(): void {
    if (this.#state === AFTER_CR) this.bare = true;
  }
}
