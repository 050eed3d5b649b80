import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../lib/secret.ts";
import { LogControl, createLogShared } from "./log-control.ts";
import type { Level } from "./log-port.ts";
import { createLog } from "./log.ts";
import { testMetrics } from "./testing.ts";

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function open(level: Level) {
  const shared = createLogShared(level);
  const lines: string[] = [];
  const { metrics, sample } = testMetrics();
  const clock = { now: () => at, monotonic: () => 0 };
  const log = createLog(new LogControl(shared), metrics, clock, (line) => lines.push(line));
  return { log, lines, sample, shared };
}

test("an event is one JSON line: time, seq, level, event, then its fields", () => {
  const { log, lines, sample } = open("info");
  log.info("server.ready", { listeners: ["pop3 127.0.0.1:1110"], threads: 1, startMs: 12 });
  log.warn("log.dropped", { lines: 3 });
  assert.deepEqual(lines, [
    '{"time":"2026-01-02T03:04:05.678Z","seq":1,"level":"info","event":"server.ready","listeners":["pop3 127.0.0.1:1110"],"threads":1,"startMs":12}\n',
    '{"time":"2026-01-02T03:04:05.678Z","seq":2,"level":"warn","event":"log.dropped","lines":3}\n',
  ]);
  assert.equal(sample('mailkeep_log_events_total{level="warn"}'), 1);
});

test("the level holds at once, takes no number and counts nothing below it", () => {
  const { log, lines, shared, sample } = open("warn");
  log.info("store.recovered", {});
  assert.equal(lines.length, 0);
  assert.equal(sample('mailkeep_log_events_total{level="info"}'), 0);
  new LogControl(shared).setLevel("debug");
  log.debug("store.recovered", {});
  assert.match(lines[0] ?? "", /"seq":1,"level":"debug"/);
});

test("threads share one sequence", () => {
  const shared = createLogShared("info");
  const [one, other] = [new LogControl(shared), new LogControl(shared)];
  assert.deepEqual([one.nextSequence(), other.nextSequence(), one.nextSequence()], [1n, 2n, 3n]);
});

test("P7: a secret in a field prints as [secret]", () => {
  const { log, lines } = open("info");
  const fields: object = { reason: new Secret("hunter2"), list: [new Secret("hunter2")], other: { text: "hunter2" } };
  log.error("server.failed", fields as { reason: string });
  assert.ok(!lines.join("").includes("hunter2"));
  assert.match(lines[0] ?? "", /"reason":"\[secret\]","list":\["\[secret\]"\],"other":null/);
});

test("a field is bounded, and nothing in it can move a terminal's cursor or begin a line", () => {
  const { log, lines } = open("info");
  log.error("server.failed", { reason: `\r\n\u001b[2J\u009b31m\u202e\u2028"\\${"x".repeat(5000)}` });
  const [line = ""] = lines;
  assert.ok(line.length < 1400);
  // oxlint-disable-next-line no-control-regex -- these are what must not be there.
  assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/u);
  const { reason } = JSON.parse(line) as { reason: string };
  assert.ok(reason.startsWith('\r\n\u001b[2J\u009b31m\u202e\u2028"\\xxx'));
  assert.ok(reason.endsWith("x…"));
});

test("an address in Chinese and a number that is none come out as JSON", () => {
  const { log, lines } = open("info");
  log.info("admin.change", { action: "user.add", subject: "张三@例子.测试" });
  log.info("store.opened", { schema: Number.NaN, accounts: 0.010705520999999862 });
  assert.equal((JSON.parse(lines[0] ?? "") as { subject: string }).subject, "张三@例子.测试");
  assert.match(lines[1] ?? "", /"schema":null,"accounts":0.010706\}/);
});
