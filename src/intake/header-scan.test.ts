import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { HeaderScan } from "./header-scan.ts";

const cases: readonly (readonly [string, string, HeaderScan["first"], number])[] = [
  ["nothing at all", "", "nothing", 0],
  ["a header and a body", "Subject: x\r\n\r\nReceived: no\r\n", "field", 0],
  [
    "Received in any case, folded, and look-alikes",
    "Received: a\r\n\tReceived: b\r\nRECEIVED : c\r\nReceived-SPF: d\r\nX-Received: e\r\nreceived:f\r\n\r\n",
    "field",
    3,
  ],
  ["a blank line first", "\r\nReceived: body\r\n", "blank", 0],
  ["text without a header", "hello world\r\nReceived: x\r\n", "text", 0],
  ["a word without a colon, unfinished", "hello", "text", 0],
  ["a word that ends its line", "hello\r\n", "text", 0],
  ["a line of mbox", "From someone Mon Jan 1\r\nReceived: x\r\n\r\n", "text", 0],
  ["a continuation line first", "  folded\r\n\r\n", "text", 0],
  ["a colon first", ": x\r\n\r\n", "text", 0],
  ["8-bit octets in the name", "S\u00fcbject: x\r\n\r\n", "text", 0],
  ["a name of 998 octets", `${"n".repeat(998)}: x\r\n\r\n`, "field", 0],
  ["a name longer than any", `${"n".repeat(999)}: x\r\n\r\n`, "text", 0],
  ["a header that never ends", "Received: a\r\nReceived: b\r\n", "field", 2],
  ["a line within the header that is no field", "Received: a\r\nhello\r\nReceived: b\r\n\r\n", "field", 2],
];

for (const [name, text, first, received] of cases) {
  test(`${name}, whole and octet by octet`, () => {
    const whole = new HeaderScan();
    whole.push(Buffer.from(text, "latin1"));
    assert.deepEqual([whole.first, whole.received], [first, received]);
    const slow = new HeaderScan();
    for (const octet of Buffer.from(text, "latin1")) slow.push(Uint8Array.of(octet));
    assert.deepEqual([slow.first, slow.received], [first, received]);
  });
}

test("the same for every cut", () => {
  const token = fc.constantFrom("Received", "received", ":", " ", "\t", "\r\n", "X", "a", "\r\n\r\n");
  fc.assert(
    fc.property(fc.array(token, { maxLength: 20 }), fc.array(fc.nat(80), { maxLength: 6 }), (tokens, cuts) => {
      const text = Buffer.from(tokens.join(""));
      const whole = new HeaderScan();
      whole.push(text);
      const edges = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].toSorted((a, b) => a - b);
      const cut = new HeaderScan();
      for (const [i, edge] of edges.slice(1).entries()) cut.push(text.subarray(edges[i], edge));
      assert.deepEqual([cut.first, cut.received], [whole.first, whole.received]);
    }),
    { numRuns: 3000 },
  );
});
