import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { LoggedEvent } from "./logged-event.ts";
import { createObserve } from "./observe.ts";
import type { Observe } from "./observe.ts";
import type { Output } from "./output.ts";

/** An output that keeps what it was given. */
function memory(): Output & { readonly text: () => string } {
  let all = "";
  const keep = (octets: Uint8Array): void => {
    all += Buffer.from(octets).toString();
  };
  return {
    text: () => all,
    terminal: process.stdout,
    write: (octets, taken) => {
      keep(octets);
      taken(octets.length);
    },
    writeNow: keep,
    close: () => undefined,
  };
}

/** Runs `code` in a thread that has `log` and `metrics`, and waits for its end. */
function runThread(observe: Observe, slot: number, code: string): Promise<number> {
  const { value, transfer } = observe.shareWith(slot);
  const url = new URL("worker.ts", import.meta.url).href;
  const source = `const { workerData } = require("node:worker_threads");
    import(${JSON.stringify(url)}).then(({ workerObserve }) => {
      const { log, metrics } = workerObserve(workerData);
      ${code}
    });`;
  const worker = new Worker(source, { eval: true, workerData: value, transferList: transfer });
  worker.on("error", () => {
    // The exit code tells it.
  });
  return new Promise((resolve) => worker.once("exit", resolve));
}

test("a thread's events and counts reach the main thread, also when it dies", async () => {
  const output = memory();
  using observe = createObserve({ level: "info", format: "json", slots: 2, version: "1.0.0", output });
  observe.log.info("thread.restarted", { thread: "main" });
  const code = await runThread(
    observe,
    1,
    `metrics.counter("mailkeep_logins_total", "ok").add(3);
     metrics.gauge("mailkeep_pop3_sessions_open").add(5);
     log.info("thread.restarted", { thread: "one" });
     log.debug("thread.restarted", { thread: "below the level" });
     throw new Error("boom");`,
  );
  assert.equal(code, 1);
  observe.flush();
  const events = output
    .text()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LoggedEvent);
  assert.deepEqual(
    events.map(({ seq, event, thread }) => [seq, event, thread]),
    [
      [1, "thread.restarted", "main"],
      [2, "thread.restarted", "one"],
    ],
  );
  assert.match(observe.render(), /^mailkeep_logins_total\{outcome="ok"\} 3$/m);
  assert.match(observe.render(), /^mailkeep_pop3_sessions_open 5$/m);
  observe.shareWith(1);
  assert.match(observe.render(), /^mailkeep_pop3_sessions_open 0$/m);
  assert.match(observe.render(), /^mailkeep_logins_total\{outcome="ok"\} 3$/m);
});

test("the level changes in every thread at once", async () => {
  const output = memory();
  using observe = createObserve({ level: "error", format: "json", slots: 2, version: "1.0.0", output });
  observe.setLevel("debug");
  assert.equal(await runThread(observe, 1, `log.debug("store.recovered", {});`), 0);
  observe.flush();
  assert.match(output.text(), /"level":"debug","event":"store.recovered"/);
});

test("a reader sees the events of all threads in the order of their numbers, thread by thread", async () => {
  const output = memory();
  using observe = createObserve({ level: "info", format: "console", slots: 2, version: "1.0.0", output });
  const seen: LoggedEvent[] = [];
  const stop = observe.subscribe((event) => seen.push(event));
  const many = `for (let n = 0; n < 3000; n += 1) log.info("job.failed", { job: "j" + n, reason: "x".repeat(100) });`;
  await runThread(observe, 1, many);
  observe.flush();
  stop();
  observe.log.info("store.recovered", {});
  assert.deepEqual(
    seen.map(({ seq, job }) => [seq, job]),
    Array.from({ length: 3000 }, (_, n) => [n + 1, `j${n}`]),
  );
  assert.match(output.text(), /store\.recovered\s*$/);
});
