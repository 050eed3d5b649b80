import { PIECE_ROOM } from "../model/message-reader.ts";

/** Octets of a large buffer: a message of this size comes as one piece. */
export const LARGE_OCTETS = 256 * 1024;
/** Octets of a small buffer, which a session may always have. */
export const SMALL_OCTETS = 32 * 1024;

/** Large buffers that are out at a time; past it sessions get small ones. */
export const LARGE_AT_A_TIME = 48;
const LARGE_KEPT = 16;
const SMALL_KEPT = 128;

const ROOM_OCTETS = PIECE_ROOM.before + PIECE_ROOM.behind;

/**
 * Buffers for reading mail with PIECE_ROOM in them, one a session at most. Large ones are bounded (12 MiB a thread): when they are all out,
 * because clients have stopped reading, a session gets a small one, so that its memory is bounded whatever it asks for.
 */
export type ReadPool = {
  /** A large buffer when so many octets need one and one is left, else a small one. */
  take(octets: number): Buffer;
  give(buffer: Buffer): void;
};

/** Octets of mail that a buffer takes. */
export function capacityOf(buffer: Buffer): number {
  return buffer.length - ROOM_OCTETS;
}

/** Makes an empty pool; buffers are made as they are needed, and some of them are kept. */
export function createReadPool(): ReadPool {
  const large: Buffer[] = [];
  const small: Buffer[] = [];
  let largeOut = 0;
  return {
    take(octets) {
      if (octets > SMALL_OCTETS && largeOut < LARGE_AT_A_TIME) {
        largeOut += 1;
        return large.pop() ?? Buffer.allocUnsafeSlow(LARGE_OCTETS + ROOM_OCTETS);
      }
      return small.pop() ?? Buffer.allocUnsafeSlow(SMALL_OCTETS + ROOM_OCTETS);
    },
    give(buffer) {
      if (capacityOf(buffer) === LARGE_OCTETS) {
        largeOut -= 1;
        if (large.length < LARGE_KEPT) large.push(buffer);
      } else if (small.length < SMALL_KEPT) small.push(buffer);
    },
  };
}
