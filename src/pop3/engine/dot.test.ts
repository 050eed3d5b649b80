import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { DotStuffer } from "./dot.ts";
import { Outgoing } from "./outgoing.ts";
import { TopCutter } from "./top.ts";

const nastyText = fc
  .array(fc.constantFrom("\r", "\n", "\r\n", ".", "..", "\r\n.", "a", "long line", "\0", "\xe9"), { maxLength: 40 })
  .map((parts) => parts.join(""));
const cutAnywhere = fc.array(fc.nat(100), { maxLength: 8 });

function pieces(text: string, cuts: readonly number[]): Uint8Array[] {
  const octets = Buffer.from(text, "latin1");
  const places = [...new Set([0, ...cuts.map((cut) => cut % (octets.length + 1)), octets.length])];
  return places.toSorted((a, b) => a - b).map((place, index, all) => octets.subarray(place, all[index + 1]));
}

function run(codec: { push(piece: Uint8Array): Uint8Array; end(): Uint8Array }, from: readonly Uint8Array[]): string {
  return Buffer.concat([...from.map((piece) => codec.push(piece)), codec.end()]).toString("latin1");
}

// Each of these is the rule, said once and slowly.
function stuffed(text: string): string {
  const dots = text.replaceAll(/(^|\n)\./g, "$1..");
  return `${dots}${text === "" || text.endsWith("\r\n") ? "" : "\r\n"}.\r\n`;
}

function topped(text: string, lines: number): string {
  const blank = /(?:^|\n)\r?\n/.exec(text);
  if (blank === null) return text;
  const header = text.slice(0, blank.index + blank[0].length);
  const body = text.slice(header.length).split(/(?<=\n)/);
  return header + body.slice(0, lines).join("");
}

test("1939-11 1939-12 dots are stuffed and the end is marked, wherever the pieces are cut", () => {
  fc.assert(
    fc.property(nastyText, cutAnywhere, (text, cuts) => {
      assert.equal(run(new DotStuffer(true), pieces(text, cuts)), stuffed(text));
    }),
    { numRuns: 2000 },
  );
});

test("dots are stuffed where the text lies when there is room in front of it, and nothing around that is touched", () => {
  fc.assert(
    fc.property(nastyText, fc.nat(6), (text, before) => {
      const room = { before, kept: { before: 4, behind: 5 } };
      const around = Buffer.alloc(4 + before + text.length + 5, "#");
      const piece = around.subarray(4 + before, 4 + before + text.length);
      piece.write(text, "latin1");
      const stuffer = new DotStuffer(true, room);
      const sent = stuffer.push(piece);
      const whole = Buffer.concat([sent, stuffer.end()]).toString("latin1");
      assert.equal(whole, stuffed(text));
      const own = sent.buffer !== around.buffer;
      assert.equal(own, sent.length - text.length > before, "a buffer of its own only where there is no room");
      if (text !== "") assert.ok(sent.byteOffset >= 4 && sent.buffer.byteLength >= sent.byteOffset + sent.length + 5);
      assert.equal(around.toString("latin1", 0, 4), "####");
      assert.equal(around.toString("latin1", around.length - 5), "#####");
    }),
    { numRuns: 2000 },
  );
});

test("what is sent is what a client takes off again", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", ".", "..x", "", " "), { minLength: 1 }), cutAnywhere, (lines, cuts) => {
      const text = lines.map((line) => `${line}\r\n`).join("");
      const sent = run(new DotStuffer(true), pieces(text, cuts));
      assert.equal(sent.indexOf("\r\n.\r\n"), sent.length - 5);
      assert.equal(sent.slice(0, -3).replaceAll(/(^|\r\n)\./g, "$1"), text);
    }),
  );
});

test("a text without such dots passes through untouched", () => {
  const piece = Buffer.from("a.b\r\nc\r\n");
  assert.equal(new DotStuffer(true).push(piece), piece);
  const dotted = Buffer.from(".");
  assert.equal(new DotStuffer(false).push(dotted), dotted);
});

test("1939-13 TOP gives the header, the blank line and n lines, wherever the pieces are cut", () => {
  fc.assert(
    fc.property(nastyText, cutAnywhere, fc.nat(5), (text, cuts, lines) => {
      assert.equal(run(new TopCutter(lines), pieces(text, cuts)), topped(text, lines));
    }),
    { numRuns: 4000 },
  );
});

test("TOP knows as soon as it can that it has enough", () => {
  const cutter = new TopCutter(1);
  cutter.push(Buffer.from("A: 1\r\n\r\none\r"));
  assert.equal(cutter.done, false);
  cutter.push(Buffer.from("\ntwo"));
  assert.equal(cutter.done, true);
  const none = new TopCutter(0);
  none.push(Buffer.from("A: 1\r\n\r\n"));
  assert.equal(none.done, true);
});

test("RETR and TOP in wire form", () => {
  fc.assert(
    fc.property(nastyText, cutAnywhere, fc.option(fc.nat(3), { nil: undefined }), (text, cuts, lines) => {
      const whole = run(new Outgoing(true, lines), pieces(text, cuts));
      assert.equal(whole, stuffed(lines === undefined ? text : topped(text, lines)));
    }),
  );
});
