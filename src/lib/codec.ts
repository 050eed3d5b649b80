/** A synchronous transform of octets that comes in pieces of any size: the same input cut anywhere gives the same output. */
export type Codec = {
  /** Takes the next piece and gives what can be said so far. */
  push(piece: Uint8Array): Uint8Array;
  /** Gives what was held back; nothing may be pushed after it. */
  end(): Uint8Array;
};
