const DOT = 0x2e;
const LINE_FEED = 0x0a;

/** Looks whether any line of a body starts with a dot; bodies have CRLF line ends only. */
export class LineStartDots {
  found = false;
  #atLineStart = true;

  push(piece: Uint8Array): void {
    if (piece.byteLength === 0) return;
    if (!this.found) this.found = (this.#atLineStart && piece[0] === DOT) || dotBehindLineFeed(piece);
    this.#atLineStart = piece.at(-1) === LINE_FEED;
  }
}

function dotBehindLineFeed(piece: Uint8Array): boolean {
  const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  return octets.includes("\n.", 0, "latin1");
}
