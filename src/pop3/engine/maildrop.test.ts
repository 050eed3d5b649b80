import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Listing } from "../../model/listing.ts";
import { ListingText, octetsOf, uidlOf } from "./listing-text.ts";
import { Maildrop } from "./maildrop.ts";

function listing(messages: number, octets: (index: number) => number): Listing {
  return {
    messages,
    uids: Uint32Array.from({ length: messages }, (_, index) => index * 3 + 1),
    octets: Uint32Array.from({ length: messages }, (_, index) => octets(index)),
    tags: new Uint32Array(messages),
    names: new Map(),
  };
}

function loaded(messages: number, octets: (index: number) => number): Maildrop {
  const drop = new Maildrop(messages, 0);
  assert.equal(drop.load(listing(messages, octets)), true);
  return drop;
}

test("1939-08 totals go beyond 4 GiB", () => {
  const drop = loaded(3, () => 2 ** 32 - 1);
  assert.equal(drop.octetsLeft, 3 * (2 ** 32 - 1));
  drop.mark(1);
  assert.equal(drop.octetsLeft, 2 * (2 ** 32 - 1));
});

test("1939-07 1939-14 1939-15 marks, unmarks and totals agree with a plain set", () => {
  const acts = fc.array(fc.oneof(fc.nat(19), fc.constant("reset" as const)), { maxLength: 60 });
  fc.assert(
    fc.property(acts, (given) => {
      const drop = loaded(20, (index) => index + 100);
      const marked = new Set<number>();
      for (const act of given) {
        if (act === "reset") {
          drop.reset();
          marked.clear();
          continue;
        }
        const found = drop.find(String(act + 1));
        assert.equal(found.ok, !marked.has(act));
        if (found.ok) drop.mark(found.value);
        marked.add(act);
      }
      const expected = [...marked].toSorted((a, b) => a - b);
      assert.deepEqual(
        [...drop.marked()],
        expected.map((index) => index * 3 + 1),
      );
      const octets = [...marked].reduce((sum, index) => sum - index - 100, 20 * 100 + 190);
      assert.deepEqual([drop.left, drop.octetsLeft], [20 - marked.size, octets]);
    }),
  );
});

test("what is barred cannot be marked until it has gone out whole", () => {
  const drop = loaded(2, () => 1);
  drop.unbar(0);
  drop.bar(1);
  assert.equal(drop.mark(1), false);
  drop.unbar(1);
  assert.equal(drop.mark(1), true);
});

test("2449-05 a long listing comes in bounded slices, and as one it is whole", () => {
  const drop = loaded(5000, (index) => index);
  drop.mark(0);
  drop.mark(4999);
  const text = new ListingText(drop, octetsOf);
  const slices: string[] = [];
  while (!text.done) slices.push(text.next());
  assert.ok(slices.length > 3 && slices.every((slice) => slice.length < 32_768));
  const lines = slices.join("").split("\r\n");
  assert.equal(lines.length, 4998 + 2);
  assert.deepEqual([lines[0], lines[4997], lines[4998]], ["2 1", "4999 4998", "."]);
});

test("a listing whose last slice is full ends once", () => {
  for (const messages of [0, 1, 1024, 2048]) {
    const text = new ListingText(
      loaded(messages, () => 7),
      uidlOf,
    );
    let whole = "";
    while (!text.done) whole += text.next();
    assert.equal(whole.split("\r\n").length, messages + 2);
    assert.ok(whole.endsWith(".\r\n"));
  }
});
