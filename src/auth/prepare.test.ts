import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { prepareToCompare, prepareToKeep } from "./prepare.ts";

test("the examples of RFC 4013 §3", () => {
  for (const [text, prepared] of [
    ["I\u00adX", "IX"],
    ["user", "user"],
    ["USER", "USER"],
    ["\u00aa", "a"],
    ["\u2168", "IX"],
    ["\u0007", undefined],
    ["\u0627\u0031", undefined],
  ] as const) {
    assert.equal(prepareToKeep(text), prepared, JSON.stringify(text));
    assert.equal(prepareToCompare(text), prepared, JSON.stringify(text));
  }
});

test("what is mapped, what is prohibited, and what directions may be mixed", () => {
  for (const [text, prepared] of [
    ["a\u00a0b\u3000c", "a b c"],
    ["pass\u200cword", "password"],
    ["e\u0301", "é"],
    ["密码", "密码"],
    ["ｐａｓｓ", "pass"],
    [" a ", " a "],
    ["א1ב", "א1ב"],
    ["", undefined],
    ["\u00ad", undefined],
    ["a\u0085b", undefined],
    ["\ue000", undefined],
    ["a\u202eb", undefined],
    ["\ufffd", undefined],
    ["אa", undefined],
  ] as const)
    assert.equal(prepareToKeep(text), prepared, JSON.stringify(text));
});

test("what Unicode 3.2 did not know may be compared, and not set", () => {
  assert.equal(prepareToKeep("🐎 battery"), undefined);
  assert.equal(prepareToCompare("🐎 battery"), "🐎 battery");
});

test("property: a prepared text stays as it is, and printable ASCII is never touched", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const once = prepareToCompare(text);
      if (once !== undefined) assert.equal(prepareToCompare(once), once);
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[\x20-\x7e]+$/), (text) => {
      assert.equal(prepareToKeep(text), text);
    }),
  );
});
