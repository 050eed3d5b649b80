import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { appPasswordDigest, newAppPassword, readAppPassword, sameDigest, showAppPassword } from "./app-password.ts";
import { deriveHouseKeys } from "./secret-key.ts";
import { addressOf, keys } from "./testing.ts";

const ANN = addressOf("ann@example.test");
const hex = (octets: Uint8Array | undefined): string | undefined => octets && Buffer.from(octets).toString("hex");

test("base32 as RFC 4648 §6 has it, in lower case and groups", () => {
  // From another implementation: Python's base64.b32encode, without its padding.
  for (const [octets, shown] of [
    ["00000000000000000000000000000000", "aaaaa-aaaaa-aaaaa-aaaaa-aaaaaa"],
    ["ffffffffffffffffffffffffffffffff", "77777-77777-77777-77777-777774"],
    ["000102030405060708090a0b0c0d0e0f", "aaaqe-ayeau-daoca-jbifq-ydiob4"],
  ] as const) {
    assert.equal(showAppPassword(Buffer.from(octets, "hex")), shown);
    assert.equal(hex(readAppPassword(shown)), octets);
  }
});

test("property: it is read back in whatever way people and programs write it", () => {
  const octets = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(
      octets,
      fc.constantFrom("", " ", "-", "\u2011", "\u2013", "\u00a0"),
      fc.boolean(),
      (given, mark, upper) => {
        const text = showAppPassword(given).replaceAll("-", mark);
        assert.equal(hex(readAppPassword(upper ? text.toUpperCase() : text)), hex(given));
        assert.equal(hex(readAppPassword(text.replaceAll("o", "0").replaceAll("l", "1"))), hex(given));
        assert.equal(hex(readAppPassword(`  ${text}\n`)), hex(given));
      },
    ),
  );
});

test("what has another form is none", () => {
  for (const text of [
    "",
    "right horse",
    "a".repeat(25),
    "a".repeat(27),
    `${"a".repeat(25)}8`,
    `${"a".repeat(25)}b`,
    "a".repeat(13),
    `${"a".repeat(26)}${" ".repeat(27)}`,
    "密".repeat(26),
    "correct horse battery staple!",
  ])
    assert.equal(readAppPassword(text), undefined, text);
});

test("property: no text makes two of it, and no text crashes", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const octets = readAppPassword(text);
      if (octets) assert.equal(showAppPassword(octets).replaceAll("-", "").length, 26);
    }),
  );
});

test("new ones have 128 bits and are never the same", () => {
  const made = Array.from({ length: 100 }, () => hex(newAppPassword()));
  assert.equal(new Set(made).size, 100);
  assert.ok(made.every((text) => text?.length === 32));
});

test("a digest is of one password, in one account, by one key", () => {
  const octets = Buffer.alloc(16, 5);
  const own = appPasswordDigest(keys, ANN, octets);
  assert.equal(own.length, 32);
  assert.ok(sameDigest(own, appPasswordDigest(keys, ANN, octets)));
  assert.ok(!sameDigest(own, appPasswordDigest(keys, ANN, Buffer.alloc(16, 6))));
  assert.ok(!sameDigest(own, appPasswordDigest(keys, addressOf("bob@example.test"), octets)));
  assert.ok(!sameDigest(own, appPasswordDigest(deriveHouseKeys(Buffer.alloc(32, 2)), ANN, octets)));
  assert.ok(!sameDigest(own, own.subarray(1)));
});
