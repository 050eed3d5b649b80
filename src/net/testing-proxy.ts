import { crc32c } from "../lib/crc32c.ts";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** A header of version 2 from its parts. */
export function proxyV2(command: number, family: number, ...body: readonly Uint8Array[]): Buffer {
  const rest = Buffer.concat(body);
  const fixed = Buffer.concat([SIGNATURE, Buffer.from([command, family, rest.length >> 8, rest.length & 0xff])]);
  return Buffer.concat([fixed, rest]);
}

/** One TLV of it. */
export function proxyTlv(type: number, value: Uint8Array | string): Buffer {
  const octets = Buffer.from(value);
  return Buffer.concat([Buffer.from([type, octets.length >> 8, octets.length & 0xff]), octets]);
}

/** PP2_TYPE_SSL with what is inside. */
export function proxySsl(client: number, verify: number, ...told: readonly Uint8Array[]): Buffer {
  const head = Buffer.from([client, 0, 0, 0, 0]);
  head.writeUInt32BE(verify, 1);
  return proxyTlv(0x20, Buffer.concat([head, ...told]));
}

/** Addresses and ports of a TCP connection over IPv4. */
export function tcp4(source: readonly number[], port: number): Buffer {
  return Buffer.from([...source, 198, 51, 100, 1, port >> 8, port & 0xff, 0, 110]);
}

/** The header with a CRC-32C in a last TLV. */
export function withChecksum(header: Buffer): Buffer {
  const longer = Buffer.concat([header, proxyTlv(0x03, new Uint8Array(4))]);
  longer.writeUInt16BE(longer.length - 16, 14);
  longer.writeUInt32BE(crc32c(longer), longer.length - 4);
  return longer;
}
