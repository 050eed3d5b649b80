import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { ChunkCodec, DataCodec } from "./data.ts";

type Read = { readonly content: string; readonly rest: string; readonly dotted: boolean; readonly bare: boolean };

// Texts made of what matters: dots and line ends in every order, with a little of everything else.
const token = fc.constantFrom(
  ".",
  "\r",
  "\n",
  "\r\n",
  "\r\n.",
  "\r\n.\r\n",
  "\r\n..",
  "\n.\n",
  "\r.\r",
  "a",
  "\t",
  "\0",
  "\xff",
);
const text = fc.array(token, { maxLength: 24 }).map((parts) => parts.join(""));
const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 8 });

describe("DataCodec", () => {
  test("reads what the naive reference reads, however the input is cut", () => {
    fc.assert(
      fc.property(text, cuts, (content, at) => {
        assert.deepEqual(readData(content, at), reference(content));
      }),
      { numRuns: 20_000 },
    );
  });

  for (const nasty of [
    "",
    ".",
    "a",
    "..\r\n.",
    "\r\n.\r\n.",
    "a\r\n.\r\r\n",
    "a\n.\r\n",
    "\r\n.\n.\r\n",
    "..",
    "a\r\n.b\r\n..\r\n",
  ]) {
    test(`reads ${JSON.stringify(nasty)} alike for every pair of cuts`, () => {
      const input = `${nasty}\r\n.\r\nNOOP\r\n`;
      for (let first = 0; first <= input.length; first += 1) {
        for (let second = first; second <= input.length; second += 1)
          assert.deepEqual(readData(input, [first, second]), reference(input), `cut at ${first} and ${second}`);
      }
    });
  }

  test("copies nothing: content comes as ranges of the input", () => {
    const input = Buffer.from("one\r\n..two\r\n.\r\n");
    const ranges: Uint8Array[] = [];
    assert.equal(new DataCodec().read(input, ranges), input.length);
    assert.deepEqual(
      ranges.map((range) => [range.buffer === input.buffer, Buffer.from(range).toString()]),
      [
        [true, "one\r\n"],
        [true, ".two\r\n"],
      ],
    );
  });
});

describe("ChunkCodec", () => {
  test("finds bare line ends and lines that start with a dot, however the input is cut", () => {
    fc.assert(
      fc.property(text, cuts, (content, at) => {
        const codec = new ChunkCodec();
        for (const piece of pieces(content, at)) codec.read(piece);
        codec.end();
        const whole = content.replaceAll("\r\n", "");
        assert.deepEqual(
          [codec.bare, codec.bare || codec.dotted],
          [/[\r\n]/.test(whole), /[\r\n]/.test(whole) || /(?:^|\n)\./.test(content)],
        );
      }),
      { numRuns: 10_000 },
    );
  });
});

function readData(input: string, at: readonly number[]): Read {
  const codec = new DataCodec();
  let content = "";
  let rest: string | undefined;
  for (const piece of pieces(input, at)) {
    if (rest !== undefined) rest += piece.toString("latin1");
    else {
      const ranges: Uint8Array[] = [];
      const end = codec.read(piece, ranges);
      content += ranges.map((range) => Buffer.from(range).toString("latin1")).join("");
      if (end >= 0) rest = piece.toString("latin1", end);
    }
  }
  return result(content, rest, codec.dotted, codec.bare);
}

/** RFC 5321 §4.5.2, as slowly and plainly as it can be written. */
function reference(input: string): Read {
  const end = `\r\n${input}`.indexOf("\r\n.\r\n");
  const coming = end < 0 ? `\r\n${input}` : `\r\n${input}`.slice(0, end + 2);
  const rest = end < 0 ? undefined : `\r\n${input}`.slice(end + 5);
  const lines = coming.split("\r\n").slice(1);
  const bare = lines.some(
    (line, i) => /\n/.test(line) || /\r(?!$)/.test(line) || (line.endsWith("\r") && (end >= 0 || i < lines.length - 1)),
  );
  const dotted = lines.some((line) => line.startsWith(".."));
  return result(lines.map((line) => line.replace(/^\./, "")).join("\r\n"), rest, dotted, bare);
}

// What is refused is not looked at; what has not ended may hold its last octets back.
function result(content: string, rest: string | undefined, dotted: boolean, bare: boolean): Read {
  if (bare) return { content: "", rest: rest ?? "unfinished", dotted: false, bare };
  return {
    content: rest === undefined ? content.replace(/\r$/, "") : content,
    rest: rest ?? "unfinished",
    dotted,
    bare,
  };
}

function pieces(input: string, at: readonly number[]): Buffer[] {
  const octets = Buffer.from(input, "latin1");
  const edges = [0, ...at.map((cut) => Math.min(cut, octets.length)), octets.length].toSorted((a, b) => a - b);
  return edges.slice(1).map((edge, i) => octets.subarray(edges[i], edge));
}
