import { crc32 } from "node:zlib";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import type { AccountId, BodyId } from "../../model/ids.ts";

/**
 * What stands in front of each body on disk: enough to know that it is the right one, and to make the index again from
 * the segments. Names the first recipient's account by its id, never by an address.
 */
export type BodyHead = {
  readonly body: BodyId;
  readonly octets: number;
  readonly sha256: Uint8Array;
  readonly account: AccountId;
};

const MAGIC = 0x4d4b4231; // "MKB1"
const AT = { magic: 0, body: 4, octets: 12, sha256: 20, account: 52, crc: 60 } as const;
const TWO_32 = 2 ** 32;

/** Writes a head into the BODY_HEAD_OCTETS in front of a body. */
export function writeBodyHead(target: Uint8Array, head: BodyHead): void {
  const view = new DataView(target.buffer, target.byteOffset, BODY_HEAD_OCTETS);
  view.setUint32(AT.magic, MAGIC);
  setNumber(view, AT.body, head.body);
  setNumber(view, AT.octets, head.octets);
  target.set(head.sha256, AT.sha256);
  setNumber(view, AT.account, head.account);
  view.setUint32(AT.crc, crc32(target.subarray(0, AT.crc)));
}

/** Reads a head; undefined: these octets are none. */
export function readBodyHead(source: Uint8Array): BodyHead | undefined {
  if (source.byteLength < BODY_HEAD_OCTETS) return undefined;
  const view = new DataView(source.buffer, source.byteOffset, BODY_HEAD_OCTETS);
  if (view.getUint32(AT.magic) !== MAGIC || view.getUint32(AT.crc) !== crc32(source.subarray(0, AT.crc))) {
    return undefined;
  }
  return {
    body: number(view, AT.body) as BodyId,
    octets: number(view, AT.octets),
    sha256: source.slice(AT.sha256, AT.account),
    account: number(view, AT.account) as AccountId,
  };
}

/** Whether octets begin with the head of this body; asked at each read, so it makes nothing. */
export function isBodyHead(source: Uint8Array, body: Omit<BodyHead, "account">): boolean {
  const octets = Buffer.from(source.buffer, source.byteOffset, BODY_HEAD_OCTETS);
  return (
    octets.readUInt32BE(AT.magic) === MAGIC &&
    octets.readUInt32BE(AT.body) * TWO_32 + octets.readUInt32BE(AT.body + 4) === body.body &&
    octets.readUInt32BE(AT.octets) * TWO_32 + octets.readUInt32BE(AT.octets + 4) === body.octets &&
    octets.compare(body.sha256, 0, body.sha256.length, AT.sha256, AT.account) === 0 &&
    octets.readUInt32BE(AT.crc) === crc32(octets.subarray(0, AT.crc))
  );
}

function setNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO_32));
  view.setUint32(at + 4, value % TWO_32);
}

function number(view: DataView, at: number): number {
  return view.getUint32(at) * TWO_32 + view.getUint32(at + 4);
}
