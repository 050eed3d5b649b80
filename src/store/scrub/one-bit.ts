import { isSound } from "../sql/row-crc.ts";
import type { MessageRow } from "../sql/tables.ts";

const NUMBERS = ["octets", "octets_downgraded", "uidl_tag", "body", "received", "row_crc"] as const;
// No number of a row is as large.
const BITS = 48;

/**
 * The row as it was written, where one bit of it was flipped since: the checksum tells which, for no two rows within three bits
 * of one another have the same (CRC-32, of rows this short). undefined: more is wrong.
 */
export function withoutFlippedBit(row: MessageRow): MessageRow | undefined {
  for (const field of NUMBERS)
    for (let bit = 0; bit < BITS; bit += 1) {
      const written = { ...row, [field]: Number(BigInt(row[field]) ^ (1n << BigInt(bit))) };
      if (isSound(written)) return written;
    }
  return row.uidl === null ? undefined : withoutFlippedLetter(row, Buffer.from(row.uidl, "latin1"));
}

// The names of imported mail are ASCII (RFC 1939 §7).
function withoutFlippedLetter(row: MessageRow, name: Buffer): MessageRow | undefined {
  for (let bit = 0; bit < name.length * 8; bit += 1) {
    const octets = Buffer.from(name);
    octets[bit >> 3] = (octets[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const written = { ...row, uidl: octets.toString("latin1") };
    if (isSound(written)) return written;
  }
  return undefined;
}
