import { ProxyHeaderParser, type ProxyOutcome } from "../../../src/net/proxy-protocol.ts";
import { Random } from "../../e2e/harness/random.ts";
import { cutOctets, mutateOctets, smallerOctets } from "../mutate-octets.ts";
import { readLines, writeLines } from "../octet-text.ts";
import { crc32c, readProxy } from "../rules/proxy.ts";
import { hold, show, type Target } from "../target.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
// The longest of both versions: no more is ever held.
const MOST_OCTETS = 16 + 16 * 1024;

/** PROXY headers of both versions, with what comes behind them. */
export const proxy: Target<string> = {
  name: "proxy",
  read: readLines,
  write: writeLines,
  seeds,
  mutate: (octets, other, random) => mutateHeader(mutateOctets(octets, other, WORDS, random), random),
  smaller: smallerOctets,
  attempt,
  story: writeLines,
};

// At the bound of version 1, and one octet beside it.
const BOUND = [106, 107, 108].map((length) => `PROXY UNKNOWN ${"x".repeat(length - 14)}`);
const WORDS: readonly string[] = [
  ..."PROXY TCP4 TCP6 UNKNOWN UDP4 0 00 01 1 65535 65536 80 192.0.2.1 127.0.0.1 256.1.1.1 1.2.3 1.2.3.4.5".split(" "),
  ..."::1 :: 2001:db8::1 ::ffff:192.0.2.1 ::ffff:c000:201 1:2:3:4:5:6:7:8 1::2::3 ::1%lo fe80::1 1:2:3:4:5:6:7::".split(
    " ",
  ),
  "PROXY TCP4 192.0.2.1 198.51.100.1 40000 110\r\n",
  "PROXY UNKNOWN\r\n",
  SIGNATURE,
  `${SIGNATURE}\x21\x11\0\x0c`,
  "\x20\0\x05\x01\0\0\0\0",
  "\x21\0\x07TLSv1.3",
  "\x22\0\x03tim",
  "\x23\0\x06AES128",
  "\x03\0\x04\0\0\0\0",
  "\x03\0\x04\0\0\0\0\x03\0\x04\0\0\0\0",
  "\0\0\0\0",
  "\xff\xff",
  " ",
  "  ",
];

function attempt(octets: string): readonly string[] {
  const { outcome, fed } = read([octets]);
  const expected = readProxy(octets);
  const found = outcomeText(outcome);
  const wanted =
    expected.kind === "proxied"
      ? JSON.stringify([
          "proxied",
          expected.address,
          expected.port,
          expected.tls ?? null,
          octets.slice(expected.octets),
        ])
      : expected.kind === "local"
        ? JSON.stringify(["local", octets.slice(expected.octets)])
        : expected.kind;
  hold(found.replace(/^refused.*/, "refused") === wanted, "PROXY §2", () => `${show(found)} and not ${show(wanted)}`);
  hold(outcome !== undefined || fed <= MOST_OCTETS, "PROXY §2", () => `${fed} octets and no end`);
  const random = new Random(octets.length);
  const octetByOctet = octets.length < 300 ? octets.split("") : [octets];
  for (const pieces of [cutOctets(octets, random), octetByOctet]) {
    const each = read(pieces);
    const cut = outcomeText(each.outcome);
    // It says so with the first octet that settles it, and never waits for one more.
    if (pieces === octetByOctet && pieces.length > 1 && each.outcome?.ok === true)
      hold(readProxy(octets.slice(0, each.fed - 1)).kind === "open", "PROXY §2", () => "it waits for too much");
    hold(cut === found, "PROXY §2", () => `cut otherwise it is ${show(cut)} and not ${show(found)}`);
  }
  if (expected.kind === "open") return [`open ${Math.min(octets.length, 17)}`];
  const family = octets.startsWith("P") ? octets.slice(6, 10) : octets.slice(12, 14);
  return [outcome?.ok === false ? `${outcome.error} ${octets[0]}` : `${expected.kind} ${family} ${"tls" in expected}`];
}

function read(pieces: readonly string[]): { readonly outcome: ProxyOutcome | undefined; readonly fed: number } {
  const parser = new ProxyHeaderParser();
  let fed = 0;
  for (const [at, piece] of pieces.entries()) {
    const outcome = parser.push(Buffer.from(piece, "latin1"));
    fed += piece.length;
    if (outcome === undefined) continue;
    if (!outcome.ok) return { outcome, fed };
    // What has not come yet belongs to the protocol too.
    const rest = Buffer.concat([outcome.value.rest, Buffer.from(pieces.slice(at + 1).join(""), "latin1")]);
    return { outcome: { ok: true, value: { header: outcome.value.header, rest } }, fed };
  }
  return { outcome: undefined, fed };
}

function outcomeText(outcome: ProxyOutcome | undefined): string {
  if (outcome === undefined) return "open";
  if (!outcome.ok) return `refused ${outcome.error}`;
  const { header, rest } = outcome.value;
  const behind = Buffer.from(rest).toString("latin1");
  if (header.kind === "local") return JSON.stringify(["local", behind]);
  const { peer, tls } = header;
  const { commonName } = tls?.certificate ?? {};
  const name = commonName === undefined ? undefined : Buffer.from(commonName).toString("latin1");
  const told = tls === undefined ? null : { version: tls.version, cipher: tls.cipher, commonName: name };
  return JSON.stringify(["proxied", peer.address, peer.port, told, behind]);
}

/** Most changes make a header of version 2 wrong in its length or checksum alone: these are put right again, mostly. */
function mutateHeader(octets: string, random: Random): string {
  if (!octets.startsWith(SIGNATURE) || octets.length < 16 || random.between(0, 3) === 0) return octets;
  const length = Math.min(0xffff, octets.length - 16);
  const fixed = octets.slice(0, 14) + String.fromCharCode(length >> 8, length & 0xff) + octets.slice(16);
  const place = random.between(0, 1) === 0 ? fixed.indexOf("\x03\0\x04") : fixed.lastIndexOf("\x03\0\x04");
  return place < 0 ? fixed : withSum(fixed, place + 3);
}

function withSum(header: string, place: number): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32c(`${header.slice(0, place)}\0\0\0\0${header.slice(place + 4)}`));
  return header.slice(0, place) + sum.toString("latin1") + header.slice(place + 4);
}

function seeds(): string[] {
  const four = "\xc0\0\x02\x01\xc6\x33\x64\x01\x9c\x40\0\x6e";
  const six = `${"\x20\x01\x0d\xb8".padEnd(15, "\0")}\x01${"\x20\x01\x0d\xb8".padEnd(15, "\0")}\x02\x9c\x40\0\x6e`;
  const tls = "\x20\0\x1e\x07\0\0\0\0\x21\0\x07TLSv1.3\x22\0\x03tim\x23\0\x06AES128";
  const headers = [
    ["\x20\0", ""],
    ["\x21\0", ""],
    ["\x21\x11", four],
    ["\x21\x21", six],
    ["\x21\x31", "\0".repeat(216)],
    ["\x21\x11", four + tls],
    ["\x21\x11", `${four}${tls}\x03\0\x04\0\0\0\0`],
    ["\x21\x21", `${six}\x04\0\x02\0\0${tls}`],
  ] as const;
  const version2 = headers.map(([command, body]) => {
    const header = `${SIGNATURE}${command}${String.fromCharCode(body.length >> 8, body.length & 0xff)}${body}`;
    const place = header.lastIndexOf("\x03\0\x04");
    return place < 0 ? header : withSum(header, place + 3);
  });
  const version1 = [
    "TCP4 192.0.2.1 198.51.100.1 40000 110",
    "TCP6 2001:db8::1 2001:db8::2 40000 995",
    "TCP6 ::ffff:192.0.2.1 ::1 0 65535",
    "UNKNOWN",
    "UNKNOWN ffff::1 ::1 1 2",
  ].map((line) => `PROXY ${line}\r\n`);
  return [...BOUND, ...[...version1, ...version2].flatMap((header) => [header, `${header}CAPA\r\n`])];
}
