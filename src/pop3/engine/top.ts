import type { Codec } from "../../lib/codec.ts";

const CR = 13;
const LF = 10;
const NOTHING = new Uint8Array(0);

/**
 * What TOP n sends of a message (rule 1939-13): its header, the blank line, and n lines of its body; all of it where the
 * body has no more, or where there is no blank line.
 */
export class TopCutter implements Codec {
  #lines: number;
  #inHeader = true;
  // What the line under way has so far; a LF behind nothing or a single CR ends a blank line.
  #begun: "nothing" | "cr" | "text" = "nothing";
  #done = false;

  constructor(lines: number) {
    this.#lines = lines;
  }

  /** Nothing more of the message is needed. */
  get done(): boolean {
    return this.#done;
  }

  push(piece: Uint8Array): Uint8Array {
    if (this.#done) return NOTHING;
    let at = 0;
    while (at < piece.length) {
      const end = piece.indexOf(LF, at);
      if (end < 0) {
        this.#begin(piece, at, piece.length);
        return piece;
      }
      this.#begin(piece, at, end);
      this.#endLine();
      at = end + 1;
      if (this.#done) return piece.subarray(0, at);
    }
    return piece;
  }

  end(): Uint8Array {
    return NOTHING;
  }

  #begin(piece: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    this.#begun = this.#begun === "nothing" && to - from === 1 && piece[from] === CR ? "cr" : "text";
  }

  #endLine(): void {
    if (!this.#inHeader) this.#lines -= 1;
    else if (this.#begun !== "text") this.#inHeader = false;
    this.#begun = "nothing";
    this.#done = !this.#inHeader && this.#lines <= 0;
  }
}
