/** What becomes of one piece: stretches of it as they are, and what takes the place of others. */
export class Output {
  readonly #piece: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  // What lies before it has been decided.
  #from = 0;

  constructor(piece: Uint8Array) {
    this.#piece = piece;
  }

  /** Puts octets in the place of a stretch behind all those that were replaced before. */
  replace(start: number, end: number, octets: Uint8Array): void {
    if (start > this.#from) this.#parts.push(this.#piece.subarray(this.#from, start));
    if (octets.length > 0) this.#parts.push(octets);
    this.#from = end;
  }

  /** Gives everything up to the end of the piece. */
  finish(): Uint8Array {
    if (this.#from === 0 && this.#parts.length === 0) return this.#piece;
    this.replace(this.#piece.length, this.#piece.length, this.#piece.subarray(0, 0));
    return this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts);
  }
}
