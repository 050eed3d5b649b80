import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { DER_SEQUENCE, readDer, readInside } from "./der.ts";

function elements(hex: string): readonly string[] | undefined {
  return readDer(Buffer.from(hex, "hex"))?.map(({ tag, value }) => `${tag}:${Buffer.from(value).toString("hex")}`);
}

test("elements one after the other, with short and long lengths", () => {
  assert.deepEqual(elements("020101040200ff"), ["2:01", "4:00ff"]);
  assert.deepEqual(elements(`0481800${"0".repeat(255)}`), [`4:${"0".repeat(256)}`]);
  assert.deepEqual(elements(""), []);
});

test("what is no DER is refused", () => {
  // Cut off, an indefinite length, five octets of length, a tag of several octets.
  for (const hex of ["02", "0202aa", "0481", "3080", "0485000000000100", "1f0100"]) {
    assert.equal(elements(hex), undefined, hex);
  }
});

test("readInside opens the first element of a tag", () => {
  assert.equal(readInside(Buffer.from("0201013003020105", "hex"), DER_SEQUENCE)?.[0]?.tag, 2);
  assert.equal(readInside(Buffer.from("020101", "hex"), DER_SEQUENCE), undefined);
});

test("any octets are read or refused, and nothing is read beyond them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
      const found = readDer(octets) ?? [];
      assert.ok(found.reduce((sum, { value }) => sum + value.length + 2, 0) <= octets.length);
    }),
  );
});
