import { crc32 } from "node:zlib";
import type { MessageRow } from "./tables.ts";

const scratch = new DataView(new ArrayBuffer(7 * 8));
const octets = new Uint8Array(scratch.buffer);

/** Checksum over the fields of a message's row, so that a damaged row is never taken for another message. */
export function rowCrc(row: Omit<MessageRow, "row_crc">): number {
  scratch.setFloat64(0, row.mailbox);
  scratch.setFloat64(8, row.uid);
  scratch.setFloat64(16, row.octets);
  scratch.setFloat64(24, row.octets_downgraded);
  scratch.setFloat64(32, row.uidl_tag);
  scratch.setFloat64(40, row.body);
  scratch.setFloat64(48, row.received);
  let crc = crc32(octets);
  if (row.uidl !== null) crc = crc32(row.uidl, crc);
  if (row.body_key !== null) crc = crc32(row.body_key, crc);
  return crc;
}

/** Whether a row is as it was written. */
export function isSound(row: MessageRow): boolean {
  return rowCrc(row) === row.row_crc;
}
