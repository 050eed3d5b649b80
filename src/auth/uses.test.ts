import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { err, ok } from "../lib/result.ts";
import type { AppPasswordId } from "../model/device.ts";
import { recordingLog } from "../observe/testing.ts";
import { type AppPasswordUse, StoreError } from "../store/ports.ts";
import { createAppPasswordUses } from "./uses.ts";

const use = (id: number, at: number, peer = "198.51.100.7"): AppPasswordUse => ({ id: id as AppPasswordId, at, peer });

function notes(answer: () => ReturnType<Parameters<typeof createAppPasswordUses>[0]["devices"]["noteUses"]>) {
  const written: (readonly AppPasswordUse[])[] = [];
  const { log, events } = recordingLog();
  const devices = {
    noteUses: (uses: readonly AppPasswordUse[]) => {
      written.push(uses);
      return answer();
    },
  };
  return { uses: createAppPasswordUses({ devices, log }), written, events };
}

const fine = async () => ok(undefined);

test("uses of some seconds are written together, each password once a minute at most", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { uses, written } = notes(fine);
    uses.note(use(1, 1000));
    uses.note(use(2, 1500, "2001:db8::1"));
    uses.note(use(1, 2000));
    assert.deepEqual(written, []);
    mock.timers.tick(3000);
    await Promise.resolve();
    assert.deepEqual(written, [[use(1, 1000), use(2, 1500, "2001:db8::1")]]);
    uses.note(use(1, 60_999));
    uses.note(use(2, 61_500));
    await uses[Symbol.asyncDispose]();
    assert.deepEqual(written.slice(1), [[use(2, 61_500)]]);
  } finally {
    mock.timers.reset();
  }
});

test("disposing writes what waits, and nothing where nothing does", async () => {
  const idle = notes(fine);
  await idle.uses[Symbol.asyncDispose]();
  assert.deepEqual(idle.written, []);
  const { uses, written } = notes(fine);
  uses.note(use(1, 1000));
  await uses[Symbol.asyncDispose]();
  assert.deepEqual(written, [[use(1, 1000)]]);
});

test("what could not be written is told, and the next use is noted again", async () => {
  const failures = [async () => err("full"), () => Promise.reject(new StoreError("unavailable", "the disk is gone"))];
  for (const failure of failures) {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const { uses, written, events } = notes(failure);
      uses.note(use(1, 1000));
      mock.timers.tick(3000);
      while (events.length === 0) await Promise.resolve();
      assert.equal(events[0]?.event, "uses.not_noted");
      uses.note(use(1, 4000));
      await uses[Symbol.asyncDispose]();
      assert.deepEqual(written, [[use(1, 1000)], [use(1, 4000)]]);
    } finally {
      mock.timers.reset();
    }
  }
});
