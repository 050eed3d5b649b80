import assert from "node:assert/strict";
import { it } from "node:test";
import * as fc from "fast-check";
import { editDistance, nearest } from "./suggest.ts";

it("counts what a finger does: leaving out, adding, hitting the neighbour, swapping", () => {
  assert.equal(editDistance("listeners", "listners", 9), 1);
  assert.equal(editDistance("tls", "tlss", 9), 1);
  assert.equal(editDistance("level", "lebel", 9), 1);
  assert.equal(editDistance("info", "inof", 9), 1);
  assert.equal(editDistance("", "abc", 9), 3);
});

it("is the same both ways, 0 only for the same text, and never above its limit", () => {
  const text = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "b", "_") });
  fc.assert(
    fc.property(text, text, (left, right) => {
      const distance = editDistance(left, right, 5);
      assert.equal(distance, editDistance(right, left, 5));
      assert.equal(distance === 0, left === right);
      assert.ok(distance <= 5);
    }),
  );
});

it("suggests only what a slip explains", () => {
  assert.equal(nearest("hostnmae", ["hostname", "threads"]), "hostname");
  assert.equal(nearest("takeover", ["hostname", "threads"]), undefined);
});
