import assert from "node:assert/strict";
import { test } from "node:test";
import { capa } from "./capabilities.ts";
import { Effects } from "./effects.ts";
import { greeting, printable } from "./reply.ts";
import { newSession, type Policy } from "./session.ts";
import { step } from "./step.ts";
import { texts } from "./texts.ts";

const policy: Policy = {
  hostname: "x",
  implementation: "[IN-USE] \r\nTOP",
  allowCleartext: false,
  stlsPossible: false,
};

test("2449-02 2449-06 no text of ours is long, odd or looks like a response code", () => {
  for (const text of Object.values(texts)) assert.match(text, /^[\x21-\x5a\x5c\x5e-\x7e][\x20-\x7e]{0,399}$/);
});

test("2449-02 2449-06 1939-01 a foreign text is cut to what a status line may carry", () => {
  assert.equal(printable("[SYS/TEMP] a\r\n-ERR\0\x7fb"), "SYS/TEMP] a-ERRb");
  assert.equal(printable(" [[x"), "x");
  assert.equal(printable("Kupferstraße"), "Kupferstrae");
  const line = greeting(`<1.2@${"h".repeat(600)}>`);
  assert.ok(line.length <= 512 && !line.includes("<") && line.endsWith("\r\n"));
});

test("CAPA cannot be made to say another line by the configuration", () => {
  const effects = new Effects();
  capa(newSession(policy, true), effects);
  assert.match(effects.text, /\r\nIMPLEMENTATION IN-USE\] TOP\r\n\.\r\n$/);
});

test("a line before the last action was answered is a mistake of ours", () => {
  const session = newSession(policy, true);
  const effects = new Effects();
  step(session, "USER a", effects);
  step(session, "PASS b", effects);
  assert.equal(effects.action?.kind, "login");
  assert.throws(() => step(session, "CAPA", effects), /before the last action was answered/);
});
