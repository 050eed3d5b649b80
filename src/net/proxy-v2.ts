import { crc32c } from "../lib/crc32c.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { formatIp, withoutMapping } from "../model/ip-address.ts";
import type { Peer } from "../model/peer.ts";
import type { TlsState } from "./connection.ts";
import type { ProxyHeader, ProxyProblem } from "./proxy-header.ts";
import { tlsOf } from "./proxy-tls.ts";
import { readTlvs, type Tlv } from "./proxy-tlv.ts";

/** What every header of version 2 begins with (§2.2). */
export const V2_SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Signature, version and command, family, length. */
export const V2_FIXED_OCTETS = 16;

// Addresses and TLVs. §2.2 asks for 536 octets at least; a client's whole certificate may be in it.
const MOST_OCTETS = 16 * 1024;
const LOCAL = 0x20;
const PROXY = 0x21;
const AF_UNSPEC = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNIX_STREAM = 0x31;
// Octets of both addresses and both ports.
const ADDRESSES: ReadonlyMap<number, number> = new Map([
  [AF_UNSPEC, 0],
  [TCP4, 12],
  [TCP6, 36],
  [UNIX_STREAM, 216],
]);
const TLV_CRC32C = 0x03;
const TLV_SSL = 0x20;

/** How long a whole header is, by its fixed part. */
export function v2Octets(fixed: Buffer): Result<number, ProxyProblem> {
  const command = fixed[12] ?? 0;
  // §2.2: a receiver has to drop what it does not know.
  if (command !== LOCAL && command !== PROXY) return err("bad-version");
  const octets = fixed.readUInt16BE(14);
  return octets > MOST_OCTETS ? err("too-long") : ok(V2_FIXED_OCTETS + octets);
}

/** Reads a whole header. */
export function parseV2(header: Buffer): Result<ProxyHeader, ProxyProblem> {
  // §2.2: LOCAL is taken whatever the rest says.
  if (header[12] === LOCAL) return ok({ kind: "local" });
  const family = header[13] ?? 0;
  const addresses = ADDRESSES.get(family);
  if (addresses === undefined) return err("bad-family");
  const body = header.subarray(V2_FIXED_OCTETS);
  if (body.length < addresses) return err("bad-address");
  const tlvs = readTlvs(body.subarray(addresses));
  if (tlvs === undefined) return err("bad-tlv");
  if (!checksumIsRight(header, tlvs)) return err("bad-checksum");
  const tls = tlsOfAll(tlvs);
  if (!tls.ok) return tls;
  // A client that came to the proxy by a local socket, or whose address the proxy keeps: there is nobody to name.
  if (family === AF_UNSPEC || family === UNIX_STREAM) return ok({ kind: "local" });
  const peer = peerOf(family, body);
  return ok({ kind: "proxied", peer, ...(tls.value !== undefined && { tls: tls.value }) });
}

function peerOf(family: number, body: Buffer): Peer {
  const octets = family === TCP4 ? 4 : 16;
  const address = formatIp(withoutMapping([...body.subarray(0, octets)]));
  return { address, port: body.readUInt16BE(octets * 2), proxied: true };
}

/** §2.2.3: over the whole header with zeros in the checksum's own place. */
function checksumIsRight(header: Buffer, tlvs: readonly Tlv[]): boolean {
  const sums = tlvs.filter(({ type }) => type === TLV_CRC32C);
  const [sum] = sums;
  if (sum === undefined) return true;
  if (sums.length > 1 || sum.value.length !== 4) return false;
  const copy = Buffer.from(header);
  const place = sum.value.byteOffset - header.byteOffset;
  copy.fill(0, place, place + 4);
  return crc32c(copy) === sum.value.readUInt32BE(0);
}

function tlsOfAll(tlvs: readonly Tlv[]): Result<TlsState | undefined, ProxyProblem> {
  const told = tlvs.filter(({ type }) => type === TLV_SSL);
  const [ssl] = told;
  if (ssl === undefined) return ok(undefined);
  // Which of two would be believed?
  return told.length > 1 ? err("bad-tlv") : tlsOf(ssl.value);
}
