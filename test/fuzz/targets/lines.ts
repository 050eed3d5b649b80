import { LineSplitter, OVERLONG } from "../../../src/lib/lines.ts";
import { Random } from "../../e2e/harness/random.ts";
import { cutOctets, mutateOctets, smallerOctets } from "../mutate-octets.ts";
import { readLines, writeLines } from "../octet-text.ts";
import { hold, show, type Target } from "../target.ts";

const MAXIMUM = 64;

/** The splitter that every client's octets go through, with a small bound. */
export const lines: Target<string> = {
  name: "lines",
  read: readLines,
  write: writeLines,
  seeds: () => [
    "",
    "USER tim\r\nPASS x\r\n",
    "a\nb\r\n\r\n",
    "x".repeat(200),
    `${"x".repeat(62)}\r\n${"y".repeat(63)}\r\n`,
    "\r\r\n\n\r",
  ],
  mutate: (octets, other, random) =>
    mutateOctets(octets, other, ["\r\n", "\n", "\r", "x".repeat(61), "\r\r\n"], random),
  smaller: smallerOctets,
  attempt,
  story: writeLines,
};

function attempt(octets: string): readonly string[] {
  const seen: string[] = [];
  const random = new Random(octets.length);
  for (const bareLf of [true, false]) {
    const wanted = reference(octets, bareLf);
    for (const pieces of [[octets], cutOctets(octets, random), octets.split("")]) {
      const found = split(pieces, bareLf);
      hold(
        found.join("|") === wanted.join("|"),
        "2449-01",
        () => `${show(found.join("|"))} and not ${show(wanted.join("|"))}`,
      );
    }
    seen.push(`${bareLf} ${wanted.length > 5 ? "many" : wanted.length} ${wanted.includes("overlong")}`);
  }
  return seen;
}

function split(pieces: readonly string[], bareLf: boolean): string[] {
  const splitter = new LineSplitter({ maximum: MAXIMUM, bareLf });
  const found: string[] = [];
  for (const piece of pieces) {
    splitter.push(Buffer.from(piece, "latin1"));
    for (let line = splitter.next(); line !== undefined; line = splitter.next())
      found.push(line === OVERLONG ? "overlong" : JSON.stringify(line));
    hold(splitter.held < MAXIMUM, "2449-01", () => `${splitter.held} octets are held of a line`);
  }
  return found;
}

function reference(octets: string, bareLf: boolean): string[] {
  const end = bareLf ? "\n" : "\r\n";
  const parts = octets.split(end);
  const last = parts.pop() ?? "";
  const found = parts.map((line) => {
    if (line.length + end.length > MAXIMUM) return "overlong";
    return JSON.stringify(bareLf ? line.replace(/\r$/, "") : line);
  });
  return last.length >= MAXIMUM ? [...found, "overlong"] : found;
}
