/**
 * Octets that are free on either side of a piece, in its own buffer. The caller may write there, so that a status line, the
 * message with its dots stuffed, and the terminator leave in one write and are never copied to another buffer.
 */
export const PIECE_ROOM = { before: 1024, behind: 16 } as const;

/**
 * One message on its way out, in stored octets (CRLF line ends, not byte-stuffed). The caller pulls:
 * a small message comes as one piece that was checked whole before it was given; a large one comes in pieces and its
 * checksum is known only at the end, so "damaged" may follow pieces that have left.
 */
export type MessageReader = {
  readonly octets: number;
  /**
   * Whether any line starts with a dot; false: the octets can go out as they are (rule 1939-11). Known when the first
   * piece is there; before, it is true, which is always safe.
   */
  readonly dotted: boolean;
  /**
   * The next piece, with PIECE_ROOM around it; valid until the next call of `next` or `close` (so ask only when the last
   * piece has been taken by the kernel), and the caller's to change until then; "later": call again once `ready` has been called; "end": all of it was given and its checksum was
   * right; "damaged": the stored octets are not what was delivered; "gone": no such message any more; "failed": the
   * disk did not answer; "utf8", before any piece: it cannot be down-converted, so only a session with UTF8 may have it
   * (RFC 6856 §5).
   */
  next(ready: () => void): Uint8Array | "later" | "end" | "damaged" | "gone" | "failed" | "utf8";
  /** Gives the buffer back; to be called once whatever the end, and harmless twice. */
  close(): void;
};
