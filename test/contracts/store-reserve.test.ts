import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { failingDisk } from "./failing-disk.ts";
import { recordingLog } from "../../src/observe/testing.ts";
import type { Disk } from "../../src/store/disk.ts";
import { systemDisk } from "../../src/store/disk.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { StoreError } from "../../src/store/ports.ts";
import { isReserveSpent, Reserve, RESERVE_OCTETS } from "../../src/store/reserve.ts";

function world(disk: Disk = systemDisk) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mailkeep-reserve-"));
  const layout = layoutOf(folder);
  const { log, events } = recordingLog();
  const open = (makes = true) => new Reserve({ disk, layout, log, makes });
  const names = () => events.map(({ event }) => event);
  return { folder, layout, open, names, [Symbol.dispose]: () => fs.rmSync(folder, { recursive: true }) };
}

/** Begins to make it and waits for the outcome. */
async function restored(reserve: Reserve): Promise<void> {
  reserve.restore();
  await reserve.settled();
}

test("a reserve is made once, goes by shares, is remembered over a restart, and is made whole again", async () => {
  using place = world();
  const { layout } = place;
  const reserve = place.open();
  assert.deepEqual([reserve.spent, reserve.left, reserve.giveUp()], [false, false, false], "none yet: mail is taken");
  await restored(reserve);
  assert.equal(fs.statSync(layout.reserve).size, RESERVE_OCTETS);
  assert.ok(fs.statSync(layout.reserve).blocks * 512 >= RESERVE_OCTETS, "the disk has put it aside");
  assert.deepEqual(fs.readdirSync(place.folder), ["reserve"]);
  assert.equal(isReserveSpent(systemDisk, layout), false);

  assert.ok(reserve.giveUp());
  assert.deepEqual([reserve.spent, reserve.left, isReserveSpent(systemDisk, layout)], [true, true, true]);
  const after = place.open();
  assert.ok(after.spent, "a restart makes it no other");
  for (let share = 2; share <= 4; share += 1) assert.ok(after.giveUp());
  assert.deepEqual([fs.statSync(layout.reserve).size, after.left, after.giveUp()], [0, false, false]);

  await restored(after);
  assert.deepEqual([fs.statSync(layout.reserve).size, after.spent], [RESERVE_OCTETS, false]);
  assert.deepEqual(place.names(), [...Array<string>(4).fill("store.reserve.used"), "store.reserve.restored"]);
});

test("a reserve is not made where there is too little room, and not by a command", async () => {
  const small = { ...systemDisk, space: async () => ({ free: RESERVE_OCTETS, total: RESERVE_OCTETS }) };
  for (const [disk, makes] of [
    [small, true],
    [systemDisk, false],
  ] as const) {
    using place = world(disk);
    const reserve = place.open(makes);
    await restored(reserve);
    assert.deepEqual([reserve.left, reserve.spent, fs.readdirSync(place.folder)], [false, false, []]);
  }
});

test("a making that fails, or during which a share is asked for, leaves what was there", async () => {
  const { disk, faults } = failingDisk();
  using place = world(disk);
  const first = place.open();
  faults.set("fdatasync", { kind: "full" });
  await restored(first);
  assert.deepEqual([first.left, fs.readdirSync(place.folder)], [false, []]);
  faults.clear();
  await restored(first);

  first.giveUp();
  faults.set("write", { kind: "full" });
  await restored(first);
  assert.equal(fs.statSync(place.layout.reserve).size, (RESERVE_OCTETS * 3) / 4);
  faults.clear();
  first.restore();
  assert.ok(first.giveUp(), "while it is made whole");
  await first.settled();
  assert.deepEqual([first.spent, fs.statSync(place.layout.reserve).size], [true, RESERVE_OCTETS / 2]);
});

test("what makes room is tried again with each share, what fails otherwise is not", async () => {
  const { disk, faults } = failingDisk();
  using place = world(disk);
  const reserve = place.open();
  await restored(reserve);
  const answers = [new StoreError("unavailable", "no room", { full: true }), undefined];
  const work = async () => {
    const answer = answers.shift();
    if (answer !== undefined) throw answer;
    return "done";
  };
  assert.equal(await reserve.spendOn(work), "done");
  assert.equal(fs.statSync(place.layout.reserve).size, (RESERVE_OCTETS * 3) / 4);

  const broken = new StoreError("unavailable", "some other failure");
  await assert.rejects(
    reserve.spendOn(() => Promise.reject(broken)),
    broken,
  );
  assert.equal(fs.statSync(place.layout.reserve).size, (RESERVE_OCTETS * 3) / 4, "there was room");
  // A quota that is used up: SQLite says only that it could not write.
  faults.set("writevSync", { kind: "full" });
  await assert.rejects(
    reserve.spendOn(() => Promise.reject(broken)),
    broken,
  );
  assert.equal(fs.statSync(place.layout.reserve).size, 0, "all of it was tried");
  assert.deepEqual([reserve.hasRoom, reserve.giveUp()], [false, false]);
  await assert.rejects(
    reserve.told(() => Promise.reject(broken)),
    { full: true },
  );
});
