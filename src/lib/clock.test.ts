import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { systemClock } from "./clock.ts";

test("threads agree about the monotonic time, whenever they began", async () => {
  const module = JSON.stringify(new URL("./clock.ts", import.meta.url).href);
  const source = `import(${module}).then(({ systemClock }) =>
    require("node:worker_threads").parentPort.postMessage(systemClock.monotonic()));`;
  const before = systemClock.monotonic();
  const [there] = (await once(new Worker(source, { eval: true }), "message")) as [number];
  const after = systemClock.monotonic();
  assert.ok(before < there && there < after, `${before} < ${there} < ${after}`);
});
