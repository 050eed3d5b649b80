import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { createDowngrader } from "./downgrade.ts";

const RUNS = 400;

// Names whose values are read in each of the ways there are, and what is no name.
const names = fc.constantFrom(
  "Subject",
  "X-Unknown ",
  "From",
  "to",
  "Return-Path",
  "References",
  "Received",
  "Date",
  "Content-Type",
  "Content-Disposition",
  "Content-Transfer-Encoding",
  "Sübject",
  "",
);
// What fields are made of: every letter that means something in one of them, folds, characters of one to four octets.
const fragments = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("é", "中文", "😀", "ａｂｃ.com", "例子.test", "\u00ad", "\u0301") },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...'"()<>@,;:\\[]=*%. '.split(""),
      "'",
      "\t",
      "\r",
      "\0",
      "a",
      "b1",
      "\r\n ",
      "\r\n\t",
      "\r\n \r\n ",
      '"',
      "<a@",
      ">",
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "=?UTF-8?B?w6k=?=",
      "=?x",
      "; filename=",
      ";name*0=",
      ";name*1*=",
      ";name*=UTF-8''",
      "multipart/mixed; boundary=b",
      "multipart/digest;boundary=bé",
      "message/rfc822",
      " for <",
      "base64",
      "%C3%A9",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(" ", "x", "é", ",", "(", "é "), fc.nat(990)).map(([s, n]) => s.repeat(n)),
  },
);
const values = fc.array(fragments, { maxLength: 14 }).map((parts) => parts.join(""));
const fields = fc.tuple(names, values).map(([name, value]) => `${name}${name === "" ? "" : ":"}${value}\r\n`);
const headers = fc.array(fields, { maxLength: 5 }).map((all) => all.join(""));
// Anything a message may have: headers, delimiters, bodies, octets of an old charset.
const messages = fc
  .array(
    fc.oneof(
      headers.map((text) => Buffer.from(text)),
      fc
        .constantFrom("\r\n", "--b\r\n", "--bé\r\n", "--b--\r\n", "\r\n--b ", "é\r\n", "--")
        .map((text) => Buffer.from(text)),
      fc
        .constantFrom("\xc4\xe3\xba\xc3\r\n", "Subject: \xc4\xe3\r\n", "\n", "-")
        .map((text) => Buffer.from(text, "latin1")),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

describe("any message", () => {
  test("cut anywhere, becomes the same", () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(200), { minLength: 1, maxLength: 20 }), (message, cuts) => {
        assert.equal(convert(message, cuts).toString("latin1"), convert(message).toString("latin1"));
        assert.equal(convert(message, [0]).toString("latin1"), convert(message).toString("latin1"));
      }),
      { numRuns: RUNS },
    );
  });

  test("grows when it is changed, and is not changed again", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const once = convert(message);
        if (once.compare(message) !== 0) assert.ok(once.length > message.length, `${once.length} > ${message.length}`);
        assert.equal(convert(once).toString("latin1"), once.toString("latin1"));
      }),
      { numRuns: RUNS },
    );
  });
});

describe("any header in UTF-8", () => {
  test("has no octet beyond ASCII afterwards, and each field is longer", () => {
    fc.assert(
      fc.property(fields, (field) => {
        // A line end alone would end the header.
        const source = Buffer.from(field);
        if (/^\r?\n/.test(field)) return;
        const result = convert(source);
        assert.doesNotMatch(result.toString("latin1"), /[\x80-\xff]/);
        assert.equal(result.length > source.length, /[^\0-\x7f]/.test(field));
        assert.doesNotMatch(result.toString("latin1"), /\n\r?\n/);
      }),
      { numRuns: 5 * RUNS },
    );
  });

  test("has no line of more than 998 octets, where it had none", () => {
    fc.assert(
      fc.property(fields, (field) => {
        const source = Buffer.from(field);
        // A CR that stands alone comes by no protocol (RFC 5321 §2.3.8).
        if (longestLine(source) > 998 || /\r(?!\n)/.test(field)) return;
        const result = convert(source);
        assert.ok(longestLine(result) <= 998, result.toString("latin1"));
      }),
      { numRuns: 5 * RUNS },
    );
  });

  test("says the same: a reader of RFC 2047 sees the text that stood there", () => {
    const words = fc.array(
      fc.constantFrom("é", "中文字符测试一二三四五六七八九十", "😀", "a", "word", " ", "\t", "\r\n ", "(", '"'),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(words, (parts) => {
        const value = parts.join("");
        const result = convert(Buffer.from(`Subject: ${value}\r\n`)).toString("latin1");
        assert.equal(decoded(result.slice("Subject:".length)), value.replaceAll("\r\n", "").trim());
        for (const [word] of result.matchAll(/=\?UTF-8\?B\?[^?]*\?=/g)) assert.ok(word.length <= 75);
        for (const line of result.split("\r\n")) if (line.includes("=?")) assert.ok(line.length <= 76, line);
      }),
      { numRuns: RUNS },
    );
  });
});

function convert(message: Buffer, cuts: readonly number[] = []): Buffer {
  const downgrader = createDowngrader();
  const out: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < message.length; i += 1) {
    const end = cuts.length === 0 ? message.length : at + 1 + (cuts[i % cuts.length] as number);
    // Copied in, so that a piece which is kept and not copied is seen.
    const piece = Buffer.from(message.subarray(at, end));
    out.push(Buffer.from(downgrader.push(piece)));
    piece.fill(0x21);
    at = end;
  }
  return Buffer.concat([...out, downgrader.end()]);
}

function longestLine(octets: Buffer): number {
  return Math.max(
    ...octets
      .toString("latin1")
      .split(/\r?\n/)
      .map((line) => line.length),
  );
}

/** RFC 2047 §6.2, for words as we write them: each is decoded alone, so that none may hold half a character. */
function decoded(value: string): string {
  const unfolded = value.replaceAll("\r\n", "").trim();
  const joined = unfolded.replace(/(=\?UTF-8\?B\?[^?]*\?=)[ \t]+(?==\?UTF-8\?B\?)/g, "$1");
  return joined.replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, base64: string) =>
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, "base64")),
  );
}
