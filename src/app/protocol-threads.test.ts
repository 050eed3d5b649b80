import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Config } from "../config/schema.ts";
import type { EventName } from "../observe/events.ts";
import { silentLog, testMetrics } from "../observe/testing.ts";
import { ProtocolThreads } from "./protocol-threads.ts";
import type { ThreadSetup } from "./thread-messages.ts";

describe("ProtocolThreads", () => {
  it("starts a thread again that died, says so, counts it, and stops them all", async () => {
    const { metrics, sample } = testMetrics();
    const again = Promise.withResolvers<void>();
    const said: EventName[] = [];
    let left = 2;
    const note = (event: EventName): void => {
      said.push(event);
      if (event === "thread.restarted" && --left === 0) again.resolve();
    };
    const started: number[] = [];
    const threads = new ProtocolThreads({
      count: 2,
      setup: (number) => {
        started.push(number);
        return { data: { number } as ThreadSetup, transfer: [] };
      },
      log: { ...silentLog, info: note, error: note },
      metrics,
      script: new URL("./testing/mortal-thread.ts", import.meta.url),
    });
    assert.deepEqual(await threads.start(), { ok: true, value: undefined });
    threads.reload({} as Config);
    await again.promise;
    assert.deepEqual(
      started.toSorted((a, b) => a - b),
      [1, 1, 2, 2],
    );
    assert.equal(said.filter((event) => event === "thread.died").length, 2);
    assert.equal(sample("mailkeep_thread_restarts_total"), 2);
    assert.equal(await threads.stop(3), 6, "what each of them had to cut");
  });
});
