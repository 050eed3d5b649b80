import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { LineSplitter, OVERLONG, type Line, type LineOptions } from "./lines.ts";

/** The same rules, written for reading only. */
function reference(text: string, { maximum, bareLf }: LineOptions): Line[] {
  const lines: Line[] = [];
  let rest = text;
  for (;;) {
    const found = rest.indexOf(bareLf ? "\n" : "\r\n");
    const octets = found < 0 ? rest.length : found + (bareLf ? 1 : 2);
    if (found < 0 && octets < maximum) return lines;
    const line = rest.slice(0, Math.max(found, 0));
    if (octets > maximum || found < 0) lines.push(OVERLONG);
    else lines.push(bareLf ? line.replace(/\r$/, "") : line);
    if (found < 0) return lines;
    rest = rest.slice(octets);
  }
}

function split(pieces: readonly string[], options: LineOptions): { lines: Line[]; splitter: LineSplitter } {
  const splitter = new LineSplitter(options);
  const lines: Line[] = [];
  for (const piece of pieces) {
    splitter.push(Buffer.from(piece, "latin1"));
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(line);
  }
  return { lines, splitter };
}

const nastyText = fc
  .array(fc.constantFrom("\r", "\n", "\r\n", "a", "bc", "\0", "\xe9", "x".repeat(9), ".", " "), { maxLength: 60 })
  .map((parts) => parts.join(""));

test("lines do not depend on where the octets were cut", () => {
  fc.assert(
    fc.property(
      nastyText,
      fc.array(fc.nat(200)),
      fc.integer({ min: 2, max: 12 }),
      fc.boolean(),
      (text, cuts, maximum, bareLf) => {
        const places = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])].toSorted(
          (a, b) => a - b,
        );
        const pieces = places.slice(1).map((place, index) => text.slice(places[index], place));
        const options = { maximum, bareLf };
        assert.deepEqual(split(pieces, options).lines, reference(text, options));
        assert.deepEqual(split(text.split(""), options).lines, reference(text, options));
      },
    ),
    { numRuns: 2000 },
  );
});

test("2449-01 an overlong line is told once, dropped as it comes, and followed by the next line", () => {
  const splitter = new LineSplitter({ maximum: 1024, bareLf: true });
  const said: Line[] = [];
  for (let sent = 0; sent < 1 << 20; sent += 4096) {
    splitter.push(Buffer.alloc(4096, "x"));
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) said.push(line);
    assert.ok(splitter.held < 1024);
  }
  assert.ok(splitter.skipped >= (1 << 20) - 1024);
  splitter.push(Buffer.from("x\r\nNOOP\r\n"));
  said.push(splitter.next() ?? "", splitter.next() ?? "none");
  assert.deepEqual(said, [OVERLONG, "NOOP", "none"]);
  assert.equal(splitter.skipped, 0);
});

test("a window boundary between CR and LF, and lines longer than a window", () => {
  const options = { maximum: 40_000, bareLf: false };
  const text = `${"a".repeat(2047)}\r\n${"b".repeat(30_000)}\r\n${"c\r\n".repeat(3000)}`;
  assert.deepEqual(split([text], options).lines, reference(text, options));
});

test("octets behind a line can be taken as they are, and lines go on behind them", () => {
  const splitter = new LineSplitter({ maximum: 100, bareLf: false });
  splitter.push(Buffer.from("DATA\r\n\xff\n\rxQUIT\r\n", "latin1"));
  assert.equal(splitter.next(), "DATA");
  assert.equal(splitter.rest().subarray(0, 4).toString("latin1"), "\xff\n\rx");
  splitter.drop(4);
  assert.equal(splitter.held, 6);
  assert.equal(splitter.next(), "QUIT");
  assert.equal(splitter.held, 0);
  assert.equal(splitter.rest().length, 0);
});
