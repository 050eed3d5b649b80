import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Uid } from "./ids.ts";
import { uidl } from "./message.ts";

test("1939-18 a UIDL is the uid in base 36 and eight hexadecimal digits", () => {
  const edges = [0, 1, 35, 36, 1295, 1296, 2 ** 31, 2 ** 32 - 1];
  for (const uid of edges) for (const tag of edges) assert.equal(uidl(uid as Uid, tag), slowly(uid, tag));
  const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(fc.property(number, number, (uid, tag) => assert.equal(uidl(uid as Uid, tag), slowly(uid, tag))));
});

function slowly(uid: number, tag: number): string {
  return `${uid.toString(36)}-${tag.toString(16).padStart(8, "0")}`;
}
