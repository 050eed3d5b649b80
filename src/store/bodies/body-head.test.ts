import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import type { AccountId, BodyId } from "../../model/ids.ts";
import { readBodyHead, writeBodyHead } from "./body-head.ts";

describe("the head of a body", () => {
  const head = {
    body: (2 ** 40 + 5) as BodyId,
    octets: 2 ** 33 + 1,
    sha256: Uint8Array.from({ length: 32 }, (_, index) => index),
    account: 12 as AccountId,
  };

  it("comes back as it was written", () => {
    const octets = new Uint8Array(BODY_HEAD_OCTETS + 20).subarray(20);
    writeBodyHead(octets, head);
    assert.deepEqual(readBodyHead(octets), head);
  });

  it("is none when any octet of it has changed, or some are missing", () => {
    const octets = new Uint8Array(BODY_HEAD_OCTETS);
    writeBodyHead(octets, head);
    for (let at = 0; at < octets.length; at += 1) {
      const changed = octets.slice();
      changed[at]! ^= 1;
      assert.equal(readBodyHead(changed), undefined, `octet ${at}`);
    }
    assert.equal(readBodyHead(octets.subarray(1)), undefined);
  });
});
