import { Random } from "./random.ts";

/** A message to send: `octets` are its content as the sender has it. */
export type Message = { readonly name: string; readonly octets: Buffer };

const KIB = 1024;
const words = "post kept whole until fetched, octet by octet. Grüße 你好 ".split(" ");

type Kind = (random: Random, id: string) => Buffer | string;

const kinds: Readonly<Record<string, Kind>> = {
  plain: (random, id) => head(id) + lines(random, 20),
  "dot lines": (random, id) => `${head(id)}.\r\n..\r\n...\r\n.x\r\n. \r\n${lines(random, 3)}.\r\n\r\n.\r\n`,
  "two dots alone": (_, id) => `${head(id)}..\r\n`,
  "a lone dot": (_, id) => `${head(id)}.\r\n`,
  "a dot at the start of everything": (_, id) => `.${id}\r\n.\r\n`,
  "eight bits": (random, id) => Buffer.concat([Buffer.from(head(id)), eightBits(random, 4000)]),
  "UTF-8": (_, id) => `${head(id)}Grüße aus Köln, 你好，世界。\r\n`,
  "998 octets a line": (_, id) => head(id) + `${"n".repeat(996)}\r\n`.repeat(3),
  "999 octets a line": (_, id) => head(id) + `${"m".repeat(997)}\r\n${"l".repeat(998)}\r\n${"k".repeat(999)}\r\n`,
  "lines of 2,048 octets": (_, id) => `${head(id)}${"p".repeat(2046)}\r\n${".".repeat(2045)}\r\n`,
  "a line of 100 kB": (_, id) => `${head(id)}${"x".repeat(100_000)}\r\n.${"y".repeat(70_000)}\r\n`,
  "an empty body": (_, id) => head(id),
  "a body of one empty line": (_, id) => `${head(id)}\r\n`,
  "no header": (random, id) => `no header ${id}\r\n${lines(random, 4)}`,
  "a header only": (_, id) => head(id).slice(0, -2),
  "a blank line first": (random, id) => `\r\nonly a body ${id}\r\n${lines(random, 2)}`,
  "a folded line first": (_, id) => ` folded like a header ${id}\r\n\r\nbody\r\n`,
  "trace of other servers": (_, id) =>
    `Return-Path: <other@e2e.test>\r\nReceived: from a by b;\r\n\tTue, 24 Nov 2026 03:00:00 +0000\r\n${head(id)}x\r\n`,
  "no last line end": (random, id) => `${head(id)}${lines(random, 2)}the end`,
  "a lone dot and no last line end": (_, id) => `${head(id)}.`,
  "many blank lines": (_, id) => head(id) + "\r\n".repeat(300),
  "a multiple of 64 KiB": (random, id) => padded(head(id), random, 128 * KIB),
  "dots across buffers": (_, id) => head(id) + ".\r\n".repeat(60_000),
  "300 kB": (random, id) => padded(head(id), random, 300_000),
  "1.5 MB": (random, id) => padded(head(id), random, 1_500_000),
};

/** Messages of all kinds in turn, each different; they depend on the seed alone. */
export function makeMessages(count: number, seed: number): Message[] {
  const random = new Random(seed);
  const rows = Object.entries(kinds);
  return Array.from({ length: count }, (_, index) => {
    const [kind, make] = rows[index % rows.length] ?? rows[0] ?? ["", () => ""];
    const made = make(random, `${seed}-${index}`);
    return { name: `${index}: ${kind}`, octets: typeof made === "string" ? Buffer.from(made) : made };
  });
}

/** A message of exactly this many octets, with a header. */
export function messageOf(octets: number, seed: number): Message {
  const random = new Random(seed);
  return { name: `${octets} octets`, octets: Buffer.from(padded(head(`big-${seed}`), random, octets)) };
}

/** The longest line of a message, its line end included. */
export function longestLine(octets: Buffer): number {
  let longest = 0;
  for (let from = 0; from < octets.length;) {
    const end = octets.indexOf("\n", from);
    const next = end < 0 ? octets.length + 2 : end + 1;
    longest = Math.max(longest, next - from);
    from = next;
  }
  return longest;
}

function head(id: string): string {
  return `From: sender@e2e.test\r\nTo: box@e2e.test\r\nSubject: ${id}\r\nMessage-ID: <${id}@e2e.test>\r\n\r\n`;
}

function lines(random: Random, count: number): string {
  return Array.from({ length: count }, () => {
    const line = Array.from({ length: random.between(1, 12) }, () => random.pick(words)).join(" ");
    return `${line}\r\n`;
  }).join("");
}

function eightBits(random: Random, count: number): Buffer {
  // Every octet but NUL, CR and LF: those are not 8bit (RFC 6152 §2, RFC 2045 §2.8).
  const octets = Array.from({ length: count }, (_, index) => {
    const octet = random.between(1, 255);
    return index % 80 === 79 || octet === 0x0d || octet === 0x0a ? 0x2e : octet;
  });
  const pieces = octets.map((octet, index) => (index % 80 === 79 ? Buffer.from("\r\n") : Buffer.of(octet)));
  return Buffer.concat([...pieces, Buffer.from("\r\n")]);
}

function padded(start: string, random: Random, octets: number): string {
  const line = `${lines(random, 1)
    .normalize("NFD")
    .replaceAll(/[^ -~]/g, "z")
    .slice(0, 60)
    .padEnd(74, "=")}\r\n`;
  const room = octets - Buffer.byteLength(start) - 2;
  const filled = start + line.repeat(Math.floor(room / line.length));
  const rest = octets - Buffer.byteLength(filled) - 2;
  return `${filled}${"r".repeat(rest)}\r\n`;
}
