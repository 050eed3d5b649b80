import { DotStuffer } from "../../../src/pop3/engine/dot.ts";
import { ChunkCodec, DataCodec } from "../../../src/smtp/engine/data.ts";
import { Random } from "../../e2e/harness/random.ts";
import { cutOctets, mutateOctets, smallerOctets } from "../mutate-octets.ts";
import { readLines, writeLines } from "../octet-text.ts";
import { hold, show, type Target } from "../target.ts";
import { MESSAGES } from "../words.ts";

/** What comes behind DATA, and by BDAT. */
export const data: Target<string> = {
  name: "data",
  read: readLines,
  write: writeLines,
  seeds: () => MESSAGES.flatMap((message) => [message, `${message}\r\n.\r\nQUIT\r\n`]),
  mutate: (octets, other, random) =>
    mutateOctets(octets, other, [...MESSAGES, "\r\n.\r\n", "\n.\n", "\r.\r", "\r\n.\r", ".\r\n"], random),
  smaller: smallerOctets,
  attempt,
  story: writeLines,
};

/** How octets begin and end, for what counts here: dots, CR, LF, and all else. */
export function classes(octets: string): string {
  return (octets.slice(0, 3) + octets.slice(-3)).replaceAll(/[^.\r\n]/g, "x");
}

type Content = { readonly content: string; readonly end: number; readonly dotted: boolean; readonly bare: boolean };

function attempt(octets: string): readonly string[] {
  const wanted = reference(octets);
  const random = new Random(octets.length);
  for (const pieces of [[octets], cutOctets(octets, random), octets.length < 3000 ? octets.split("") : [octets]]) {
    const found = read(pieces);
    hold(found.end === wanted.end, "RFC 5321 §4.5.2", () => `ends at ${found.end} and not ${wanted.end}`);
    if (wanted.end < 0) continue;
    hold(found.bare === wanted.bare, "RFC 5321 §2.3.8", () => `bare is ${found.bare}`);
    // What has a bare CR or LF is refused, so what was read of it is nothing.
    if (wanted.bare) continue;
    hold(
      found.content === wanted.content,
      "RFC 5321 §4.5.2",
      () => `${show(found.content)} and not ${show(wanted.content)}`,
    );
    hold(found.dotted === wanted.dotted, "RFC 5321 §4.5.2", () => `dotted is ${found.dotted}`);
  }
  chunks(octets, random);
  roundTrip(octets.replaceAll(/\r|\n/g, "\r\n"));
  return [
    `${wanted.end < 0 ? "open" : wanted.end === octets.length} ${wanted.bare} ${wanted.dotted} ${classes(octets)}`,
  ];
}

function read(pieces: readonly string[]): Content {
  const codec = new DataCodec();
  const ranges: Uint8Array[] = [];
  let at = 0;
  for (const piece of pieces) {
    const behind = codec.read(Buffer.from(piece, "latin1"), ranges);
    if (behind < 0) {
      at += piece.length;
      continue;
    }
    const content = Buffer.concat(ranges).toString("latin1");
    return { content, end: at + behind, dotted: codec.dotted, bare: codec.bare };
  }
  return { content: "", end: -1, dotted: codec.dotted, bare: codec.bare };
}

// Line by line, a line being what CRLF ends.
function reference(octets: string): Content {
  let [at, content, dotted] = [0, "", false];
  for (;;) {
    const end = octets.indexOf("\r\n", at);
    if (end < 0) return { content: "", end: -1, dotted, bare: false };
    const line = octets.slice(at, end);
    at = end + 2;
    if (line === ".") break;
    const unstuffed = line.startsWith(".") ? line.slice(1) : line;
    dotted ||= unstuffed.startsWith(".");
    content += `${unstuffed}\r\n`;
  }
  const bare = /[\r\n]/.test(octets.slice(0, at).replaceAll("\r\n", ""));
  return { content, end: at, dotted, bare };
}

function chunks(octets: string, random: Random): void {
  const codec = new ChunkCodec();
  for (const piece of cutOctets(octets, random)) codec.read(Buffer.from(piece, "latin1"));
  codec.end();
  const bare = /[\r\n]/.test(octets.replaceAll("\r\n", ""));
  hold(codec.bare === bare, "RFC 3030 §2", () => `bare is ${codec.bare}`);
  if (!bare) hold(codec.dotted === /(?:^|\n)\./.test(octets), "RFC 3030 §2", () => `dotted is ${codec.dotted}`);
}

/** What POP3 stuffs, SMTP reads as it was. */
function roundTrip(message: string): void {
  const stuffer = new DotStuffer(/(?:^|\n)\./.test(message));
  const wire = Buffer.concat([stuffer.push(Buffer.from(message, "latin1")), stuffer.end()]).toString("latin1");
  const { content, end } = read([`${wire}QUIT\r\n`]);
  const whole = message === "" || message.endsWith("\r\n") ? message : `${message}\r\n`;
  hold(content === whole && end === wire.length, "1939-11", () => `${show(whole)} comes back as ${show(content)}`);
}
