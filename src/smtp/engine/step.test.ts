import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { CLEAR_CHANNEL } from "../../auth/engine/channel.ts";
import { type Line, OVERLONG } from "../../lib/lines.ts";
import { err, ok } from "../../lib/result.ts";
import type { Address } from "../../model/address.ts";
import type { Recipient } from "../../model/envelope.ts";
import type { AccountId, MailboxId } from "../../model/ids.ts";
import { LINE_OCTETS } from "./commands.ts";
import { loginRefusals, noOutbox, outcomeForAll, outcomes, recipientRefusals, reply } from "./reply.ts";
import { type Effect, type Input, newSession, type Session } from "./session.ts";
import { PASSWORDS_ONLY } from "./testing/policy.ts";
import { readContent, step } from "./step.ts";

const settings = {
  protocol: "submission",
  hostname: "mail.example.test",
  startTls: true,
  messageOctets: 1000,
  recipients: 1000,
} as const;

function session(protocol: "smtp" | "submission" | "lmtp" = "smtp"): Session {
  return newSession({ ...settings, protocol }, { address: "192.0.2.1", port: 1 }, undefined);
}

const policy = { ...PASSWORDS_ONLY, allowCleartext: true };

function say(target: Session, input: Line | Input, behind = 0): Effect[] {
  const effects: Effect[] = [];
  step(target, typeof input === "object" ? input : { kind: "line", line: input, behind, policy }, effects);
  return effects.filter((effect) => typeof effect === "string" || effect.do !== "count");
}

test("RFC 3207, P5: octets behind STARTTLS are an attack and end the session", () => {
  assert.deepEqual(say(session(), "STARTTLS", 1), [
    { do: "attack", kind: "octets-behind-starttls" },
    reply.behindTls,
    { do: "close" },
  ]);
  assert.deepEqual(say(session(), "STARTTLS", 0), [reply.readyForTls, { do: "secure" }]);
});

test("a login before the handshake does not hold after it", () => {
  const target = session("submission");
  say(target, "EHLO a");
  say(target, "AUTH PLAIN AGEAYg==");
  assert.deepEqual(say(target, { kind: "login", result: ok({ address: "a@example.test" as Address }) }), [
    reply.loggedIn,
  ]);
  say(target, "STARTTLS");
  say(target, { kind: "secured", tls: { version: "TLSv1.3", cipher: "x" }, channel: CLEAR_CHANNEL });
  say(target, "EHLO a");
  assert.deepEqual(say(target, "MAIL FROM:<a@example.test>"), [reply.loginFirst]);
});

test("lines that are too long are answered and the session goes on", () => {
  const target = session();
  assert.deepEqual(say(target, OVERLONG), [reply.longLine]);
  assert.deepEqual(say(target, `NOOP ${"x".repeat(2100)}`), [reply.longLine]);
  assert.deepEqual(say(target, `EHLO ${"x".repeat(256)}`), [reply.badArgument]);
  say(target, "HELO a");
  assert.deepEqual(say(target, `MAIL FROM:<${"x".repeat(600)}@b.example>`), [reply.badArgument]);
  assert.deepEqual(say(target, "NOOP"), [reply.ok]);
});

test("RFC 4954 §4: AUTH takes long responses, and none that is longer than any line", () => {
  const target = session("submission");
  say(target, "EHLO a");
  const [login] = say(target, `AUTH PLAIN ${Buffer.from(`\0a\0${"b".repeat(200)}`).toString("base64")}`);
  assert.equal(typeof login === "object" && login.do, "login");
  say(target, { kind: "login", result: err("refused") });
  assert.deepEqual(say(target, `AUTH PLAIN ${"A".repeat(8000)}`), [reply.badResponse]);
  assert.deepEqual(say(target, "AUTH LOGIN"), ["334 VXNlcm5hbWU6\r\n"]);
  assert.deepEqual(say(target, OVERLONG), [reply.longResponse, reply.tooManyLogins, { do: "close" }]);
});

test("OAUTH-01: a token of 16 KiB fits into AUTH and into the line after it", () => {
  const secure = { ...CLEAR_CHANNEL, secure: true };
  const token = "t".repeat(16_384);
  const message = Buffer.from(`n,a=${"x".repeat(255)},\x01auth=Bearer ${token}\x01\x01`).toString("base64");
  for (const lines of [[`AUTH OAUTHBEARER ${message}`], ["AUTH OAUTHBEARER", message]]) {
    const target = newSession(settings, { address: "192.0.2.1", port: 1 }, undefined, secure);
    let effects: Effect[] = [];
    for (const line of ["EHLO a", ...lines]) {
      assert.ok(line.length + 2 <= LINE_OCTETS);
      step(target, { kind: "line", line, behind: 0, policy: { ...policy, oauth: true } }, (effects = []));
    }
    const asked = effects.at(-1);
    assert.ok(typeof asked === "object" && asked.do === "login" && asked.credentials.kind === "token");
    assert.equal(asked.credentials.token.reveal(), token);
    // What was not judged is no word about the token: the client is to keep it.
    assert.deepEqual(say(target, { kind: "login", result: err("unavailable") }), [loginRefusals.unavailable]);
    assert.equal(target.mode, "command");
  }
});

test("a SCRAM question that the house cannot answer now is an outage, not a wrong password", () => {
  const target = session("submission");
  const scram = { ...policy, scram: true };
  const first = Buffer.from("n,,n=a,r=abc").toString("base64");
  for (const line of ["EHLO a", `AUTH SCRAM-SHA-256 ${first}`])
    step(target, { kind: "line", line, behind: 0, policy: scram }, []);
  assert.equal(target.waiting, "scram");
  assert.deepEqual(say(target, { kind: "scram", facts: undefined }), [loginRefusals.unavailable]);
});

test("a session that sends no message may not go on for ever", () => {
  const target = session();
  let heard: Effect[] = [];
  for (let i = 0; i < 100; i += 1) heard = say(target, "NOOP");
  assert.deepEqual(heard, [reply.ok, reply.tooManyFruitless, { do: "close" }]);
});

test("guessing addresses is bounded; a stored message begins the count anew", () => {
  const target = session();
  say(target, "HELO a");
  for (let round = 0; round < 3; round += 1) {
    say(target, "MAIL FROM:<>");
    for (let i = 0; i < 60; i += 1) {
      say(target, `RCPT TO:<guess${i}@example.test>`);
      assert.equal(say(target, { kind: "recipient", result: err("unknown") }).at(-1), recipientRefusals.unknown);
    }
    say(target, "RCPT TO:<a@example.test>");
    say(target, { kind: "recipient", result: ok(recipient()) });
    say(target, "DATA");
    say(target, { kind: "opened", ok: true });
    readContent(target, Buffer.from(".\r\n"), []);
    assert.deepEqual(say(target, { kind: "delivered", outcomes: ["stored"] }), [outcomes.stored]);
  }
});

test("an answer that comes when nobody waits for it any more changes nothing", () => {
  const target = session();
  assert.deepEqual(say(target, { kind: "recipient", result: ok(recipient()) }), []);
  assert.deepEqual(say(target, { kind: "opened", ok: true }), []);
  assert.deepEqual(say(target, { kind: "allowed", allowed: true }), []);
  say(target, "QUIT");
  assert.deepEqual(say(target, "NOOP"), []);
  assert.equal(readContent(target, Buffer.from("abc"), []), 3);
});

test("P9: a house that does not answer costs the client its connection, not the server its patience", () => {
  const target = session();
  say(target, "HELO a");
  say(target, "MAIL FROM:<>");
  say(target, "RCPT TO:<a@example.test>");
  assert.deepEqual(say(target, { kind: "timeout", reason: "house" }), [reply.noAnswer, { do: "close" }]);
  assert.deepEqual(say(target, { kind: "recipient", result: ok(recipient()) }), []);
});

test("a stopping server waits for the house's answer, then ends the session", () => {
  const target = session();
  say(target, "HELO a");
  say(target, "MAIL FROM:<>");
  say(target, "RCPT TO:<a@example.test>");
  assert.deepEqual(say(target, { kind: "shutdown" }), []);
  assert.deepEqual(say(target, { kind: "recipient", result: ok(recipient()) }), [
    reply.recipientOk,
    reply.shuttingDown,
    { do: "close" },
  ]);
});

test("the trace says how a message came (RFC 3848, RFC 6531 §4.3)", () => {
  const tls = { version: "TLSv1.3", cipher: "x" };
  assert.equal(protocolOf("HELO a", "", undefined, false), "SMTP");
  assert.equal(protocolOf("EHLO a", "", undefined, false), "ESMTP");
  assert.equal(protocolOf("HELO a", "", tls, false), "ESMTPS");
  assert.equal(protocolOf("EHLO a", "", undefined, true), "ESMTPA");
  assert.equal(protocolOf("EHLO a", " SMTPUTF8", tls, true), "UTF8SMTPSA");
  assert.equal(protocolOf("EHLO a", " SMTPUTF8", undefined, false), "UTF8SMTP");
});

test("RFC 5321 §4.5.3.1.5, RFC 2034: replies are short, and every 2xx, 4xx and 5xx has an enhanced code of its class", () => {
  const all = [reply, recipientRefusals, loginRefusals, outcomes, { noOutbox }].flatMap((words) =>
    Object.values<string>(words),
  );
  for (const text of all) {
    assert.ok(text.length <= 512 && text.endsWith("\r\n"), text);
    assert.match(text, /^(?:354 |([245])\d\d \1\.\d\.\d{1,2} )[\x20-\x7e]+\r\n$/);
  }
});

test("one answer for all: a copy too many is better than one lost", () => {
  assert.equal(outcomeForAll(["stored", "stored"]), "stored");
  assert.equal(outcomeForAll(["stored", "no-mailbox"]), "stored");
  assert.equal(outcomeForAll(["no-mailbox"]), "no-mailbox");
  assert.equal(outcomeForAll(["stored", "failed", "full"]), "failed");
  assert.equal(outcomeForAll(["stored", "over-quota"]), "over-quota");
  assert.equal(outcomeForAll([]), "no-mailbox");
});

test("no line and no content makes the engine throw or say what the client sent", () => {
  const word = fc.constantFrom(
    "EHLO",
    "MAIL",
    "FROM:",
    "RCPT",
    "TO:",
    "<",
    ">",
    "@",
    '"',
    "\\",
    " ",
    "BDAT",
    "AUTH",
    "PLAIN",
    "SIZE=",
    "=",
    "DATA",
    "LAST",
    "3",
    "RSET",
  );
  const line = fc
    .array(fc.oneof(word, fc.string({ unit: "binary", maxLength: 8 })), { maxLength: 8 })
    .map((parts) => Buffer.from(parts.join("")).toString("latin1"));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const target = session("submission");
      for (const each of ["EHLO a", ...lines]) {
        if (target.waiting === "recipient") say(target, { kind: "recipient", result: ok(recipient()) });
        if (target.waiting === "login")
          say(target, { kind: "login", result: ok({ address: "a@b.example" as Address }) });
        if (target.waiting === "allowed") say(target, { kind: "allowed", allowed: true });
        if (target.waiting === "open") say(target, { kind: "opened", ok: true });
        if (target.waiting === "tls") return;
        for (const effect of say(target, each))
          if (typeof effect === "string" && !effect.startsWith("334"))
            assert.match(effect, /^(?:\d\d\d[ -][\x20-\x7e]*\r\n)+$/);
      }
    }),
    { numRuns: 2000 },
  );
});

function protocolOf(greeting: string, parameters: string, tls: Session["tls"], login: boolean): string {
  const target = newSession({ ...settings }, { address: "192.0.2.1", port: 1 }, tls);
  target.submitter = { address: "a@example.test" as Address };
  say(target, greeting);
  say(target, `MAIL FROM:<>${parameters}`);
  say(target, { kind: "allowed", allowed: true });
  if (!login) target.submitter = undefined;
  say(target, "RCPT TO:<a@example.test>");
  say(target, { kind: "recipient", result: ok(recipient()) });
  say(target, "BDAT 0 LAST");
  const effect = say(target, { kind: "opened", ok: true }).at(-1);
  assert.ok(typeof effect === "object" && effect.do === "deliver");
  return effect.envelope.protocol;
}

function recipient(): Recipient {
  return {
    asGiven: "a@example.test",
    address: "a@example.test" as Address,
    account: 1 as AccountId,
    mailbox: 1 as MailboxId,
    quota: { octets: 1, messages: 1 },
  };
}
