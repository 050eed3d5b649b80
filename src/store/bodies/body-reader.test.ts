import assert from "node:assert/strict";
import { test } from "node:test";
import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import type { BodyId, SegmentId } from "../../model/ids.ts";
import { DiskError, systemDisk } from "../disk.ts";
import { layoutOf } from "../layout.ts";
import { BodyReader } from "./body-reader.ts";

// A session ends by closing what it reads: were that to throw, its lease would outlive it (simulator, seed 576).
test("P9 a disk that does not close a body fails nobody", () => {
  let asked = 0;
  const disk = {
    ...systemDisk,
    openSync: () => 7,
    closeSync: () => {
      asked += 1;
      throw new DiskError("failed", "the disk did not close");
    },
  };
  const reader = new BodyReader(disk, layoutOf("/nowhere"));
  const place = {
    body: 1 as BodyId,
    offset: BODY_HEAD_OCTETS,
    octets: 1,
    crc32: 0,
    sha256: new Uint8Array(32),
    dotted: false,
  };
  reader.open({ ...place, segment: null })?.close();
  reader.open({ ...place, segment: 1 as SegmentId })?.close();
  reader.forget([1 as SegmentId]);
  assert.equal(asked, 2);
});
