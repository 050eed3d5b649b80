/** How deep multiparts may stand in each other; what is deeper goes as it is. */
const MOST_DEPTH = 64;
/** A delimiter with the white space behind it has fewer octets. */
export const DELIMITER_OCTETS = 1000;

const DASH = 0x2d;
const NOTHING = Buffer.alloc(0);

/** The multiparts that a reader of a message is in, the innermost last. */
export class Boundaries {
  readonly #open: { readonly boundary: Buffer; readonly digest: boolean }[] = [];

  get none(): boolean {
    return this.#open.length === 0;
  }

  /** Whether parts of the innermost are messages unless they say otherwise. */
  get inDigest(): boolean {
    return this.#open.at(-1)?.digest ?? false;
  }

  /** false: it is too deep. */
  enter(boundary: Buffer, digest: boolean): boolean {
    if (this.#open.length === MOST_DEPTH) return false;
    this.#open.push({ boundary, digest });
    return true;
  }

  /**
   * Takes a line with its end. "part": it begins one, "close": it ends a multipart; of the innermost whose it is, those within
   * it being over (RFC 2046 §5.1.2). undefined: it is no delimiter.
   */
  take(line: Uint8Array): "part" | "close" | undefined {
    if (line[0] !== DASH || line[1] !== DASH || line.length > DELIMITER_OCTETS) return undefined;
    let end = line.length;
    while (isSpace(line[end - 1])) end -= 1;
    for (let i = this.#open.length - 1; i >= 0; i -= 1) {
      const boundary = this.#open[i]?.boundary ?? NOTHING;
      const behind = boundary.length + 2;
      const close = end === behind + 2 && line[behind] === DASH && line[behind + 1] === DASH;
      if ((!close && end !== behind) || boundary.compare(line, 2, behind) !== 0) continue;
      this.#open.length = close ? i : i + 1;
      return close ? "close" : "part";
    }
    return undefined;
  }

  /** Out of all of them. */
  leave(): void {
    this.#open.length = 0;
  }
}

function isSpace(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09 || octet === 0x0d || octet === 0x0a;
}
