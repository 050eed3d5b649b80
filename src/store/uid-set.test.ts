import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { UidSet } from "./uid-set.ts";

const setOf = (...uids: number[]): UidSet => UidSet.of(Uint32Array.from(uids));
const uid = fc.integer({ min: 0, max: 300 });
const many = fc.uniqueArray(uid, { maxLength: 200 });

describe("a set of uids", () => {
  it("holds what it was made of, in ranges", () => {
    const set = setOf(7, 5, 6, 1, 7, 9);
    assert.deepEqual(
      [...set.ranges()],
      [
        [1, 1],
        [5, 7],
        [9, 9],
      ],
    );
    assert.equal(set.count, 5);
    assert.deepEqual(set.toArray(), [1, 5, 6, 7, 9]);
  });

  it("answers as a Set does", () => {
    fc.assert(
      fc.property(many, uid, (uids, asked) => {
        const [set, plain] = [setOf(...uids), new Set(uids)];
        assert.equal(set.has(asked), plain.has(asked));
        let outside = asked;
        while (plain.has(outside)) outside += 1;
        assert.equal(set.nextOutside(asked), outside);
        const inside = uids.filter((each) => each >= asked);
        assert.equal(set.nextInside(asked), inside.length === 0 ? undefined : Math.min(...inside));
      }),
    );
  });

  it("numbers its uids from the lowest", () => {
    fc.assert(
      fc.property(many, uid, (uids, asked) => {
        const set = setOf(...uids);
        const order = uids.toSorted((a, b) => a - b);
        const index = order.indexOf(asked);
        assert.equal(set.indexOf(asked), index === -1 ? undefined : index);
        assert.equal(set.at(asked), order[asked]);
        assert.deepEqual(set.toArray(asked), order.slice(0, asked));
      }),
    );
  });

  it("takes another away", () => {
    fc.assert(
      fc.property(many, many, (one, other) => {
        const left = setOf(...one).minus(setOf(...other));
        const expected = one.filter((each) => !other.includes(each)).toSorted((a, b) => a - b);
        assert.deepEqual(left.toArray(), expected);
      }),
    );
  });

  it("behaves at the highest uids as at the lowest", () => {
    const top = 0xffffffff;
    const high = many.map((uids) => uids.map((each) => top - each));
    fc.assert(
      fc.property(high, high, fc.boolean(), (one, other, whole) => {
        const minus = whole ? UidSet.all().minus(setOf(...other)) : setOf(...other);
        const taken = new Set(minus.toArray(2000));
        const left = setOf(...one).minus(minus);
        const expected = one.filter((each) => (whole ? other.includes(each) : !taken.has(each)));
        assert.deepEqual(
          left.toArray(),
          expected.toSorted((a, b) => a - b),
        );
        assert.equal(left.count, expected.length);
      }),
    );
  });

  it("is the same whatever order it was made in, and does not touch what it was made of", () => {
    fc.assert(
      fc.property(fc.array(uid, { maxLength: 300 }), (uids) => {
        const given = Uint32Array.from(uids);
        const set = UidSet.of(given);
        assert.deepEqual([...given], uids);
        const plain = [...new Set(uids)].toSorted((a, b) => a - b);
        assert.deepEqual([set.toArray(), set.count], [plain, plain.length]);
        assert.deepEqual([...UidSet.of(Uint32Array.from(plain)).ranges()], [...set.ranges()]);
        for (const [, last] of set.ranges()) assert.equal(set.has(last + 1), false);
      }),
    );
  });

  it("falls into parts that are it together", () => {
    fc.assert(
      fc.property(many, fc.integer({ min: 1, max: 30 }), (uids, most) => {
        const set = setOf(...uids);
        const parts = set.parts(most);
        assert.deepEqual(
          parts.flatMap((part) => [...part.ranges()]),
          [...set.ranges()],
        );
        assert.ok(parts.every((part) => part.rangeCount <= most));
        assert.equal(parts.length, Math.max(1, Math.ceil(set.rangeCount / most)));
      }),
    );
  });

  it("comes back from its octets", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 50 }), (uids) => {
        const set = setOf(...uids);
        assert.deepEqual([...UidSet.decode(set.encode()).ranges()], [...set.ranges()]);
      }),
    );
    assert.throws(() => UidSet.decode(Uint8Array.of(200)), /whole/);
  });

  it("knows every uid in a few octets", () => {
    const all = UidSet.decode(UidSet.all().encode());
    assert.ok(UidSet.all().encode().length <= 6);
    assert.equal(all.has(0) && all.has(0xffffffff), true);
    assert.equal(all.count, 2 ** 32);
    assert.deepEqual(setOf(1, 2).minus(all).toArray(), []);
    assert.deepEqual(
      [...all.minus(setOf(5)).ranges()],
      [
        [0, 4],
        [6, 0xffffffff],
      ],
    );
  });
});
