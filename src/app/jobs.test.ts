import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemClock } from "../lib/clock.ts";
import { createHealth } from "../observe/health.ts";
import { recordingLog } from "../observe/testing.ts";
import { startJobs } from "./jobs.ts";

describe("startJobs", () => {
  it("reclaims until there is no more, then says what came of it, and lives through a failure", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { log, events } = recordingLog();
    const health = createHealth(["store"]);
    const passes = [
      { segmentsRemoved: 1, octetsMoved: 10, more: true },
      { segmentsRemoved: 2, octetsMoved: 0, more: false },
    ];
    const turned = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<void>();
    const upkeep = {
      reclaim: () => {
        const pass = passes.shift();
        if (pass === undefined) {
          queueMicrotask(failed.resolve);
          return Promise.reject(new Error("the disk is gone"));
        }
        if (!pass.more) queueMicrotask(turned.resolve);
        return Promise.resolve(pass);
      },
      state: () => Promise.resolve("full" as const),
    };
    const jobs = startJobs({ upkeep, health, eraseDays: () => 7, clock: systemClock, log });
    t.mock.timers.tick(60_000);
    await turned.promise;
    await new Promise(setImmediate);
    assert.deepEqual(
      events.filter(({ event }) => event === "store.reclaimed").map(({ fields }) => fields),
      [{ segments: 3, moved: 10 }],
    );
    assert.equal(health.report().parts["store"]?.status, "failed");
    t.mock.timers.tick(60_000);
    await failed.promise;
    await new Promise(setImmediate);
    assert.equal(events.filter(({ event }) => event === "job.failed").length, 1);
    await jobs[Symbol.asyncDispose]();
  });
});
