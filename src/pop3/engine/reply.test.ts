import assert from "node:assert/strict";
import { test } from "node:test";
import { CLEAR_CHANNEL } from "../../auth/engine/channel.ts";
import type { Announced } from "./announced.ts";
import { capa } from "./capabilities.ts";
import { Effects } from "./effects.ts";
import { greeting, printable } from "./reply.ts";
import { newSession, type Policy, type Session } from "./session.ts";
import { step } from "./step.ts";

const announced: Announced = {
  mechanisms: { allowCleartext: false, scram: false, scramSha1: false, oauth: false, clientCertificates: false },
  expire: { days: 0, perUser: false },
  loginDelay: { seconds: 0, perUser: false },
};
const policy: Policy = { hostname: "x", implementation: "[IN-USE] \r\nTOP", stlsPossible: false };

function secureSession(): Session {
  return newSession(policy, { ...CLEAR_CHANNEL, secure: true }, announced);
}

test("2449-02 2449-06 1939-01 a foreign text is cut to what a status line may carry", () => {
  assert.equal(printable("[SYS/TEMP] a\r\n-ERR\0\x7fb"), "SYS/TEMP] a-ERRb");
  assert.equal(printable(" [[x"), "x");
  assert.equal(printable("Kupferstraße"), "Kupferstrae");
  const line = greeting(`<1.2@${"h".repeat(600)}>`);
  assert.ok(line.length <= 512 && !line.includes("<") && line.endsWith("\r\n"));
});

test("CAPA cannot be made to say another line by the configuration", () => {
  const effects = new Effects();
  capa(secureSession(), [], effects);
  assert.match(effects.text, /\r\nIMPLEMENTATION IN-USE\] TOP\r\n\.\r\n$/);
});

test("a line before the last action was answered is a mistake of ours", () => {
  const session = secureSession();
  const effects = new Effects();
  step(session, "USER a", effects);
  step(session, "PASS b", effects);
  assert.equal(effects.action?.kind, "login");
  assert.throws(() => step(session, "CAPA", effects), /before the last action was answered/);
});
