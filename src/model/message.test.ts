import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Uid } from "./ids.ts";
import { parseUidl, uidl, uidlHead } from "./message.ts";

test("1939-18 a UIDL is the uid in base 36 and eight hexadecimal digits", () => {
  const edges = [0, 1, 35, 36, 1295, 1296, 2 ** 31, 2 ** 32 - 1];
  for (const uid of edges) for (const tag of edges) assert.equal(uidl(uid as Uid, tag), slowly(uid, tag));
  const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(fc.property(number, number, (uid, tag) => assert.equal(uidl(uid as Uid, tag), slowly(uid, tag))));
});

test("a UIDL is read back, also without its random bits", () => {
  const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(number, number, (uid, tag) => {
      assert.deepEqual(parseUidl(uidl(uid as Uid, tag)), { uid, tag });
      assert.deepEqual(parseUidl(uidlHead(uid as Uid)), { uid, tag: undefined });
    }),
  );
});

test("what is no UIDL of ours is not taken for one", () => {
  for (const text of ["", "-", "1-", "1-1234567", "1-123456789", "01-12345678", "1-1234567G", "A-12345678", "1z141z4"])
    assert.equal(parseUidl(text), undefined, text);
  assert.equal(parseUidl("1z141z3")?.uid, 2 ** 32 - 1);
});

function slowly(uid: number, tag: number): string {
  return `${uid.toString(36)}-${tag.toString(16).padStart(8, "0")}`;
}
