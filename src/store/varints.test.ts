import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { decodeVarints, encodeVarints } from "./varints.ts";

describe("packed numbers", () => {
  it("come back, small ones from one octet each", () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), (numbers) => {
        assert.deepEqual([...decodeVarints(encodeVarints(numbers))], numbers);
      }),
    );
    assert.deepEqual(encodeVarints([0, 127, 128]), Uint8Array.of(0, 127, 128, 1));
  });

  it("are not taken for whole when they are cut", () => {
    assert.throws(() => decodeVarints(Uint8Array.of(5, 128)), /whole/);
  });
});
