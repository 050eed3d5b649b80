import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { UidPacker } from "./uid-packer.ts";
import { UidSet } from "./uid-set.ts";

const uid = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0xfffffe00, max: 0xffffffff }));

describe("a packer of uids", () => {
  it("makes of uids in order what a set of them makes, whole and in parts", () => {
    fc.assert(
      fc.property(fc.uniqueArray(uid, { maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (uids, most) => {
        const sorted = Uint32Array.from(uids).toSorted();
        const packer = new UidPacker(most);
        for (const each of sorted) packer.add(each);
        const { whole, parts } = packer.finish();
        const set = UidSet.of(sorted);
        assert.deepEqual(whole, set.encode());
        const expected = set.count === 0 ? [] : set.parts(most).map((part) => part.encode());
        assert.deepEqual(parts, expected);
        assert.deepEqual(UidSet.packed(whole).toArray(), [...sorted]);
      }),
    );
  });
});
