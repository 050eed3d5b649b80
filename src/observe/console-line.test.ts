import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { consoleLine } from "./console-line.ts";
import type { LoggedEvent } from "./logged-event.ts";

function plain(fields: Record<string, unknown>): string {
  const event = { time: "2026-01-02T03:04:05.678Z", seq: 1, level: "info", event: "login.ok", ...fields };
  return stripVTControlCharacters(consoleLine(event as LoggedEvent, process.stdout));
}

test("fields begin in one column, words stand bare in any script, all else is quoted", () => {
  assert.match(
    plain({ account: "张三@例子.测试", mechanism: "PLAIN", reason: "磁盘 已满", tls: "", listeners: ["a:1", "b c"] }),
    /^\d\d:\d\d:05\.678 info {2}login\.ok {15}account=张三@例子\.测试 mechanism=PLAIN reason="磁盘 已满" tls="" listeners=a:1,"b c"\n$/u,
  );
});

test("no control character of a field reaches the terminal", () => {
  const reason = "a\r\n\u001b]0;x\u0007\u009b2J\u202e";
  const event = { time: "2026-01-02T03:04:05.678Z", seq: 1, level: "error", event: "server.failed", reason } as const;
  const line = consoleLine(event, process.stdout);
  assert.equal(stripVTControlCharacters(line).split("\n").length, 2);
  assert.ok(line.includes(String.raw`reason=`) && line.includes(String.raw`"a\r\n\u001b]0;x\u0007\u{9b}2J\u{202e}"`));
});
