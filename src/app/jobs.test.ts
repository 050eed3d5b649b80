import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { systemClock } from "../lib/clock.ts";
import { err, ok } from "../lib/result.ts";
import { MemoryStore } from "../mailbox/testing.ts";
import { createHealth } from "../observe/health.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import type { Store, Upkeep } from "../store/ports.ts";
import { type JobFigures, startJobs } from "./jobs.ts";

const DAY = 86_400_000;
const NOW = 1000 * DAY;

function house(t: TestContext, changes: Partial<Upkeep> = {}, lastTime?: number) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const health = createHealth(["store"]);
  const done: string[] = [];
  const upkeep: Upkeep = {
    reclaim: () => Promise.resolve({ segmentsRemoved: 0, octetsMoved: 0, more: false }),
    erase: () => Promise.resolve(ok({ messages: 0, octets: 0, more: false })),
    forget: () => Promise.resolve(ok({ more: false })),
    noteTime: () => Promise.resolve(ok(undefined)),
    lastTime: () => Promise.resolve(undefined),
    removedUsage: () => Promise.resolve({ messages: 3, octets: 300 }),
    space: () => Promise.resolve({ free: 700, total: 1000 }),
    state: () => Promise.resolve("ok"),
    ...changes,
  };
  for (const [verb, call] of Object.entries(upkeep)) {
    Object.assign(upkeep, {
      [verb]: (...given: unknown[]) => {
        done.push([verb, ...given.map((each) => JSON.stringify(each))].join(" "));
        return (call as (...all: unknown[]) => unknown)(...given);
      },
    });
  }
  const memory = new MemoryStore();
  const accounts: Store["directory"]["accounts"] = (query) => {
    done.push("accounts");
    return memory.directory.accounts(query);
  };
  const time = { now: NOW };
  const figures = { eraseDays: 7, undeleteDays: 14, expireDays: 0, historyDays: 90, freePercent: 5 };
  const asked = Object.fromEntries(
    Object.keys(figures).map((name) => [name, () => figures[name as keyof typeof figures]]),
  ) as JobFigures;
  const jobs = startJobs({
    ...asked,
    store: {
      directory: { ...memory.directory, accounts } as Store["directory"],
      mail: memory.mail,
      leases: memory.leases,
      history: { entries: async () => [] } as unknown as Store["history"],
      upkeep,
    },
    health,
    clock: { ...systemClock, now: () => time.now },
    lastTime,
    log,
    metrics,
  });
  const pass = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms);
    // Turns of several steps, none of which waits for anything outside.
    for (let step = 0; step < 5; step += 1) await new Promise(setImmediate);
  };
  return { jobs, pass, done, events, health, sample, figures, time };
}

describe("startJobs", () => {
  it("destroys nothing because the clock jumped ahead, and says so", async (t) => {
    const { jobs, pass, done, events, time } = house(t);
    time.now += 3650 * DAY;
    await pass(60_000);
    const before = done.filter((each) => /^(erase|reclaim) /.test(each)).map((each) => Number(each.split(" ")[1]));
    assert.equal(before.length, 2);
    for (const each of before) assert.ok(each <= NOW, `${each}`);
    assert.deepEqual(events, [{ level: "warn", event: "clock.jumped", fields: { hours: 87_600 } }]);
    await jobs[Symbol.asyncDispose]();
  });

  it("P2: destroys nothing because the clock was wrong at the start, and notes no such time", async (t) => {
    const last = NOW - 3650 * DAY;
    const { jobs, pass, done } = house(t, {}, last);
    await pass(60_000);
    const times = done.filter((each) => /^(erase|reclaim|noteTime) /.test(each)).map((each) => each.split(" "));
    assert.deepEqual(times.map(([verb = ""]) => verb).toSorted(), ["erase", "noteTime", "reclaim"]);
    // As if no time had passed since then: what the machine's own clock says of the seconds meanwhile is small.
    for (const [verb, time] of times) assert.ok(Number(time) <= last + DAY, `${verb} ${time}`);
    await jobs[Symbol.asyncDispose]();
  });

  it("runs each in its time, by the figures of that moment", async (t) => {
    const { jobs, pass, done, figures } = house(t);
    await pass(59_000);
    assert.deepEqual([...new Set(done)], ["state", "space"]);
    await pass(1000);
    assert.deepEqual(done.filter((each) => !/^(state|space)/.test(each)).toSorted(), [
      "accounts",
      `erase ${NOW - 14 * DAY}`,
      `noteTime ${NOW}`,
      `reclaim ${NOW - 7 * DAY}`,
      "removedUsage",
    ]);
    figures.undeleteDays = 1;
    figures.eraseDays = 0;
    await pass(60_000);
    assert.ok(done.includes(`erase ${NOW - DAY}`) && done.includes(`reclaim ${NOW}`));
    assert.equal(done.filter((each) => each === "accounts").length, 1);
    for (let minute = 2; minute < 11; minute += 1) await pass(60_000);
    assert.equal(done.filter((each) => each === "accounts").length, 2, "every ten minutes");
    await pass(3_600_000);
    assert.ok(done.includes(`forget {"history":${NOW - 90 * DAY},"places":${NOW - 30 * DAY}}`));
    await jobs[Symbol.asyncDispose]();
  });

  it("says what undelete keeps and how much room there is", async (t) => {
    const { jobs, pass, sample } = house(t);
    await pass(60_000);
    assert.deepEqual(
      ["removed_messages", "removed_octets", "disk_free_octets", "disk_octets"].map((name) =>
        sample(`mailkeep_${name}`),
      ),
      [3, 300, 700, 1000],
    );
    await jobs[Symbol.asyncDispose]();
  });

  it("P9: says that the store hangs when it gives no answer, and that it answers again", async (t) => {
    const hanging = Promise.withResolvers<"ok">();
    const { jobs, pass, events, health } = house(t, { state: () => hanging.promise });
    health.say("store", "ready");
    await pass(5000);
    await pass(9000);
    assert.equal(health.report().parts["store"]?.status, "ready", "a slow commit is no outage");
    await pass(1000);
    assert.equal(health.report().parts["store"]?.status, "failed");
    assert.match(health.report().parts["store"]?.reason ?? "", /no answer/);
    hanging.resolve("ok");
    await pass(0);
    assert.equal(health.report().parts["store"]?.status, "ready");
    assert.deepEqual(
      events.map(({ level, event }) => `${level} ${event}`),
      ["error store.hangs", "info store.answers"],
    );
    await jobs[Symbol.asyncDispose]();
  });

  it("reclaims until there is no more, then says what came of it, and lives through a failure", async (t) => {
    const passes = [
      { segmentsRemoved: 1, octetsMoved: 10, more: true },
      { segmentsRemoved: 2, octetsMoved: 0, more: false },
    ];
    const reclaim: Upkeep["reclaim"] = () => {
      const next = passes.shift();
      return next ? Promise.resolve(next) : Promise.reject(new Error("the disk is gone"));
    };
    const { jobs, pass, events, health } = house(t, { reclaim, state: () => Promise.resolve("full") });
    await pass(60_000);
    assert.deepEqual(
      events.filter(({ event }) => event === "store.reclaimed").map(({ fields }) => fields),
      [{ segments: 3, moved: 10 }],
    );
    assert.equal(health.report().parts["store"]?.status, "failed");
    await pass(60_000);
    assert.deepEqual(
      events.filter(({ event }) => event === "job.failed").map(({ fields }) => fields),
      [{ job: "reclaim", reason: "the disk is gone" }],
    );
    await jobs[Symbol.asyncDispose]();
  });

  it("forgets until there is no more, and says when it could not", async (t) => {
    const slices = [ok({ more: true }), ok({ more: false }), err("full" as const)];
    const { jobs, pass, done, events } = house(t, { forget: () => Promise.resolve(slices.shift() ?? assert.fail()) });
    await pass(3_600_000);
    assert.equal(done.filter((each) => each.startsWith("forget")).length, 2);
    await pass(3_600_000);
    assert.deepEqual(
      events.map(({ fields }) => fields),
      [{ job: "forget", reason: "forgetting: full" }],
    );
    await jobs[Symbol.asyncDispose]();
  });
});
