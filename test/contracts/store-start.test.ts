import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import type { Disk } from "../../src/store/disk.ts";
import { DiskError, systemDisk } from "../../src/store/disk.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { openWriter } from "../../src/store/open-writer.ts";
import { RESERVE_OCTETS } from "../../src/store/reserve.ts";

// Simulator, seed 2153: a folder whose sync had failed was synced again in the same start, which proves nothing.
test("P1 a start whose sync fails is not tried again by giving up the reserve", async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mailkeep-start-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const { reserve } = layoutOf(folder);
  fs.writeFileSync(reserve, "");
  fs.truncateSync(reserve, RESERVE_OCTETS);
  let left = 1;
  const disk: Disk = {
    ...systemDisk,
    fsyncFolderSync: (at) => {
      if (left === 0) return systemDisk.fsyncFolderSync(at);
      left -= 1;
      throw new DiskError("full", "the disk did not sync a folder: ENOSPC", { sync: true });
    },
  };
  const { metrics } = testMetrics();
  const options = { folder, disk, log: silentLog, metrics, clock: systemClock, announce: () => undefined };
  const refused = await openWriter(options);
  assert.ok(!refused.ok);
  assert.equal(refused.error.kind, "failed");
  const opened = await openWriter(options);
  assert.ok(opened.ok, "the next start begins from what is on disk");
  await opened.value.writer[Symbol.asyncDispose]();
});
