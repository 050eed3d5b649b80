import { isIPv4, isIPv6 } from "node:net";
import { isUtf8 } from "node:buffer";

/*
 * HAProxy's "The PROXY protocol", sections 2.1 and 2.2, written a second time, slowly, with Node's own readers of addresses,
 * and with what the house decided: TCP only, 16 KiB at most, one PP2_TYPE_SSL, one checksum.
 */

/** What a header says. `octets`: its length. */
export type Expected =
  | { readonly kind: "local"; readonly octets: number }
  | {
      readonly kind: "proxied";
      readonly octets: number;
      readonly address: string;
      readonly port: number;
      readonly tls?: { readonly version: string; readonly cipher: string; readonly commonName: string | undefined };
    }
  | { readonly kind: "refused" }
  /** More is needed. */
  | { readonly kind: "open" };

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const REFUSED: Expected = { kind: "refused" };
const OPEN: Expected = { kind: "open" };

/** Reads a header at the beginning of octets (latin1). */
export function readProxy(octets: string): Expected {
  if (SIGNATURE.startsWith(octets.slice(0, 12))) return octets.length < 16 ? OPEN : version2(octets);
  if ("PROXY ".startsWith(octets.slice(0, 6))) return octets.length < 6 ? OPEN : version1(octets);
  return REFUSED;
}

function version1(octets: string): Expected {
  const end = octets.slice(0, 107).indexOf("\n");
  if (end < 0) return octets.length < 107 ? OPEN : REFUSED;
  const line = octets.slice(0, end + 1);
  // "UNKNOWN" with anything behind it, up to the end of the line.
  if (/^PROXY UNKNOWN(?: [^\n]*)?\r\n$/.test(line)) return { kind: "local", octets: line.length };
  const [, family, source = "", destination = "", port, to] =
    /^PROXY (TCP4|TCP6) (\S+) (\S+) (0|[1-9]\d*) (0|[1-9]\d*)\r\n$/.exec(line) ?? [];
  if (Number(port ?? "x") > 65_535 || Number(to ?? "x") > 65_535 || family === undefined) return REFUSED;
  const isAddress = family === "TCP4" ? isStrictIpv4 : isStrictIpv6;
  if (!isAddress(source) || !isAddress(destination)) return REFUSED;
  return { kind: "proxied", octets: line.length, address: canonical(source), port: Number(port) };
}

function isStrictIpv4(text: string): boolean {
  return isIPv4(text) && !/(?:^|\.)0\d/.test(text);
}

function isStrictIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%") && !/(?:[:.])0\d+(?=\.|$)/.test(text.includes(".") ? text : "");
}

// WHATWG writes IPv6 as RFC 5952 does, but for mapped addresses, which are IPv4 to us.
function canonical(text: string): string {
  if (!text.includes(":")) return text;
  const written = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(written) ?? [];
  if (high === undefined || low === undefined) return written;
  return [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]).join(".");
}

function version2(octets: string): Expected {
  const at = (place: number): number => octets.charCodeAt(place);
  const command = at(12);
  const length = at(14) * 256 + at(15);
  if ((command !== 0x20 && command !== 0x21) || length > 16 * 1024) return REFUSED;
  if (octets.length < 16 + length) return OPEN;
  const whole = 16 + length;
  if (command === 0x20) return { kind: "local", octets: whole };
  const addresses = { 0x00: 0, 0x11: 12, 0x21: 36, 0x31: 216 }[at(13)];
  if (addresses === undefined || length < addresses) return REFUSED;
  const tlvs = readTlvs(octets.slice(16 + addresses, whole));
  if (tlvs === undefined || !isRightSum(octets.slice(0, whole), tlvs, 16 + addresses)) return REFUSED;
  const told = tlvs.filter(({ type }) => type === 0x20);
  const tls = told[0] === undefined ? {} : readTls(told[0].value);
  if (told.length > 1 || tls === undefined) return REFUSED;
  if (at(13) === 0x00 || at(13) === 0x31) return { kind: "local", octets: whole };
  const size = at(13) === 0x11 ? 4 : 16;
  const source = Array.from({ length: size }, (_, index) => at(16 + index));
  const port = at(16 + 2 * size) * 256 + at(17 + 2 * size);
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((source[2 * index] ?? 0) * 256 + (source[2 * index + 1] ?? 0)).toString(16),
  );
  return {
    kind: "proxied",
    octets: whole,
    address: canonical(size === 4 ? source.join(".") : groups.join(":")),
    port,
    ...tls,
  };
}

type Tlv = { readonly type: number; readonly value: string; readonly at: number };

function readTlvs(octets: string): Tlv[] | undefined {
  const tlvs: Tlv[] = [];
  let at = 0;
  while (at < octets.length) {
    const length = octets.charCodeAt(at + 1) * 256 + octets.charCodeAt(at + 2);
    const value = octets.slice(at + 3, at + 3 + length);
    if (Number.isNaN(length) || value.length < length) return undefined;
    tlvs.push({ type: octets.charCodeAt(at), value, at: at + 3 });
    at += 3 + length;
  }
  return tlvs;
}

function readTls(value: string): { tls?: NonNullable<Extract<Expected, { kind: "proxied" }>["tls"]> } | undefined {
  const tlvs = value.length < 5 ? undefined : readTlvs(value.slice(5));
  if (tlvs === undefined) return undefined;
  const client = value.charCodeAt(0);
  if (client % 2 === 0) return {};
  const name = (type: number): string => {
    const found = tlvs.find((tlv) => tlv.type === type)?.value ?? "";
    return /^[A-Za-z0-9_.+-]{1,64}$/.test(found) ? found : "unknown";
  };
  const names = tlvs.filter(({ type }) => type === 0x22);
  const commonName = names.length === 1 ? names[0]?.value : undefined;
  const good = (client & 6) !== 0 && value.slice(1, 5) === "\0\0\0\0" && commonName !== undefined;
  const isName = good && commonName.length <= 256 && isUtf8(Buffer.from(commonName, "latin1"));
  return { tls: { version: name(0x21), cipher: name(0x23), commonName: isName ? commonName : undefined } };
}

function isRightSum(header: string, tlvs: readonly Tlv[], base: number): boolean {
  const sums = tlvs.filter(({ type }) => type === 0x03);
  const [sum] = sums;
  if (sum === undefined) return true;
  if (sums.length > 1 || sum.value.length !== 4) return false;
  const place = base + sum.at;
  const zeroed = `${header.slice(0, place)}\0\0\0\0${header.slice(place + 4)}`;
  return crc32c(zeroed) === Buffer.from(sum.value, "latin1").readUInt32BE(0);
}

/** CRC-32C (RFC 3720 appendix B.4), bit by bit. */
export function crc32c(octets: string): number {
  let crc = 0xffffffff;
  for (let at = 0; at < octets.length; at += 1) {
    crc ^= octets.charCodeAt(at);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
