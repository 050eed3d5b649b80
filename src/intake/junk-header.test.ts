import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderScan } from "./header-scan.ts";
import type { JunkHeader } from "./junk-header.ts";

const FLAG: JunkHeader = { name: "X-Spam-Flag", value: " YES " };

const cases: readonly (readonly [string, string, boolean])[] = [
  ["the field", "Subject: x\r\nX-Spam-Flag: YES\r\n\r\n", true],
  ["the first field, in any case", "x-spam-FLAG:yes\r\nSubject: x\r\n\r\n", true],
  ["white space around, and folds", "X-Spam-Flag : \t\r\n  \r\n\tYes \t\r\n \r\nSubject: x\r\n\r\n", true],
  ["the last field of a header that does not end", "X-Spam-Flag: YES", true],
  ["one of several", "X-Spam-Flag: NO\r\nX-Spam-Flag: YES\r\n\r\n", true],
  ["behind what would not fit into any buffer", `X: ${"y".repeat(300_000)}\r\nX-Spam-Flag: YES\r\n\r\n`, true],
  ["and a value that would not", `X-Spam-Flag: ${" ".repeat(300_000)}YES\r\n\r\n`, true],
  ["another value", "X-Spam-Flag: NO\r\n\r\n", false],
  ["a longer value", "X-Spam-Flag: YES, really\r\n\r\n", false],
  ["a longer value, folded", "X-Spam-Flag: YES\r\n really\r\n\r\n", false],
  ["a shorter value", "X-Spam-Flag: YE\r\n\r\n", false],
  ["a value in two pieces", "X-Spam-Flag: Y\r\n ES\r\n\r\n", false],
  ["no value", "X-Spam-Flag:\r\n\r\n", false],
  ["a longer name", "X-Spam-Flags: YES\r\n\r\n", false],
  ["a shorter name", "X-Spam: YES\r\n\r\n", false],
  ["a continuation of another field", "Subject: x\r\n X-Spam-Flag: YES\r\n\r\n", false],
  ["a body", "Subject: x\r\n\r\nX-Spam-Flag: YES\r\n", false],
  ["a part", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-Spam-Flag: YES\r\n\r\n", false],
  ["text without a header", "hello\r\nX-Spam-Flag: YES\r\n\r\n", false],
];

for (const [name, text, junk] of cases) {
  test(`${name}: ${junk ? "junk" : "no junk"}, whole and octet by octet`, () => {
    const whole = new HeaderScan(FLAG);
    whole.push(Buffer.from(text));
    assert.equal(whole.junk, junk);
    const slow = new HeaderScan(FLAG);
    for (const octet of Buffer.from(text)) slow.push(Uint8Array.of(octet));
    assert.equal(slow.junk, junk);
  });
}

test("a value of several words; without a field named, nothing is junk", () => {
  const scan = new HeaderScan({ name: "X-Spam-Status", value: "Yes, score=9" });
  scan.push(Buffer.from("X-Spam-Status: yes,\r\n SCORE=9\r\n\r\n"));
  assert.equal(scan.junk, true);
  const none = new HeaderScan();
  none.push(Buffer.from("X-Spam-Flag: YES\r\n:\r\n\r\n"));
  assert.equal(none.junk, false);
});
