import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { Mechanism, Step } from "./mechanism.ts";
import { type Channel, CLEAR_CHANNEL, type MechanismPolicy } from "./channel.ts";
import * as engine from "./mechanisms.ts";

const { findMechanism, usableMechanisms } = engine;
const nothing: MechanismPolicy = {
  allowCleartext: false,
  scram: false,
  scramSha1: false,
  oauth: false,
  clientCertificates: false,
};
const tls: Channel = { ...CLEAR_CHANNEL, secure: true };
const beginExchange = (given: Mechanism, initial: Uint8Array | undefined) =>
  engine.beginExchange(given, initial, nothing, tls);

const octets = (text: string): Uint8Array => Buffer.from(text);

function mechanism(name: string): Mechanism {
  const found = findMechanism(name);
  assert.ok(found);
  return found;
}

function said(step: Step): unknown {
  if (step.kind === "challenge") return Buffer.from(step.octets).toString();
  if (step.kind === "failed") return step.reason;
  assert.ok(step.kind === "credentials" && step.credentials.kind === "password");
  const { credentials } = step;
  return [credentials.mechanism, credentials.user, credentials.password.reveal()];
}

test("SASL-02 base64 is decoded strictly", () => {
  for (const bad of [
    "=AAA",
    "AAA=BBB",
    "AAA=BBB=",
    "A",
    "AA",
    "AAA",
    "AA=A",
    "AAAA=",
    "AAA A",
    "AAA-",
    "AAAA\r",
    "AB==",
    "é",
    "====",
  ])
    assert.equal(decodeBase64(bad), undefined, bad);
  for (const good of ["", "AAAA", "AA==", "AAA=", "AGEAYg=="]) {
    const decoded = decodeBase64(good);
    assert.ok(decoded, good);
    assert.equal(encodeBase64(decoded), good);
  }
});

test("SASL-05 PLAIN", () => {
  const long = "x".repeat(255);
  const cases: readonly (readonly [string | Uint8Array, unknown])[] = [
    ["\0tim\0secret", ["PLAIN", "tim", "secret"]],
    ["tim\0tim\0 a b ", ["PLAIN", "tim", " a b "]],
    ["\0王芳\0密码", ["PLAIN", "王芳", "密码"]],
    [`${long}\0${long}\0${long}`, ["PLAIN", long, long]],
    ["root\0tim\0secret", "refused"],
    ["\0tim\0", "refused"],
    [`\0tim\0${long}x`, "refused"],
    [Buffer.from("\0tim\0p\xe4ss", "latin1"), "refused"],
    [Buffer.from("\0t\xe4m\0pass", "latin1"), "refused"],
    ["\0\0secret", "malformed"],
    ["", "malformed"],
    ["tim", "malformed"],
    ["\0tim", "malformed"],
    ["\0tim\0a\0b", "malformed"],
  ];
  for (const [message, expected] of cases) {
    const response = typeof message === "string" ? octets(message) : message;
    assert.deepEqual(said(beginExchange(mechanism("plain"), response).step), expected, JSON.stringify(message));
  }
});

test("PLAIN without an initial response is asked by an empty challenge", () => {
  const { exchange, step } = beginExchange(mechanism("PLAIN"), undefined);
  assert.equal(said(step), "");
  assert.deepEqual(said(exchange.step(octets("\0a\0b"))), ["PLAIN", "a", "b"]);
});

test("LOGIN asks for both, or takes the name with the command", () => {
  const asked = beginExchange(mechanism("LOGIN"), undefined);
  assert.equal(said(asked.step), "Username:");
  assert.equal(said(asked.exchange.step(octets("tim"))), "Password:");
  assert.deepEqual(said(asked.exchange.step(octets(" s "))), ["LOGIN", "tim", " s "]);

  const given = beginExchange(mechanism("LOGIN"), octets("tim"));
  assert.equal(said(given.step), "Password:");
  assert.equal(said(given.exchange.step(octets(""))), "refused");
});

test("LOGIN refuses what cannot be a name or a password", () => {
  const nobody = beginExchange(mechanism("LOGIN"), undefined);
  assert.equal(said(nobody.exchange.step(octets(""))), "malformed");
  for (const [user, password, expected] of [
    ["a\0b", undefined, "malformed"],
    ["a", "b\0", "malformed"],
    ["x".repeat(256), "b", "refused"],
    ["a", "x".repeat(256), "refused"],
  ] as const) {
    const { exchange, step } = beginExchange(mechanism("LOGIN"), octets(user));
    assert.equal(said(password === undefined ? step : exchange.step(octets(password))), expected);
  }
});

test("SASL-01 an initial response where the server speaks first is an error", () => {
  const strict: Mechanism = { ...mechanism("LOGIN"), toleratesInitial: false };
  assert.equal(said(beginExchange(strict, octets("tim")).step), "malformed");
});

const names = (policy: MechanismPolicy, channel: Channel): readonly string[] =>
  usableMechanisms(policy, channel).map(({ name }) => name);

test("SASL-06 nothing is usable in clear text, unless that is configured", () => {
  assert.deepEqual(names({ ...nothing, scram: true, clientCertificates: true, oauth: true }, CLEAR_CHANNEL), []);
  assert.deepEqual(names({ ...nothing, allowCleartext: true }, CLEAR_CHANNEL), ["PLAIN", "LOGIN"]);
  assert.deepEqual(names({ ...nothing, allowCleartext: true, scram: true }, CLEAR_CHANNEL), [
    "SCRAM-SHA-256",
    "PLAIN",
    "LOGIN",
  ]);
  assert.deepEqual(names(nothing, tls), ["PLAIN", "LOGIN"]);
  assert.equal(findMechanism("CRAM-MD5"), undefined);
});

test("SCRAM-01 the best comes first, and binding only where the connection can be bound to", () => {
  const bound: Channel = { ...tls, binding: (type) => (type === "tls-exporter" ? Buffer.from("x") : undefined) };
  const scram = { ...nothing, scram: true };
  assert.deepEqual(names(scram, tls), ["SCRAM-SHA-256", "PLAIN", "LOGIN"]);
  assert.deepEqual(names(scram, bound), ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]);
  assert.deepEqual(names({ ...scram, scramSha1: true }, bound), [
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "PLAIN",
    "LOGIN",
  ]);
  assert.deepEqual(names({ ...nothing, scramSha1: true }, bound), ["PLAIN", "LOGIN"]);
  // Taken and not announced: who says that it could bind was then told of nothing to bind with (RFC 5802 §6).
  assert.deepEqual(names({ ...scram, bindingUnannounced: true }, bound), ["SCRAM-SHA-256", "PLAIN", "LOGIN"]);
  const hidden = findMechanism("SCRAM-SHA-256-PLUS");
  assert.ok(hidden && engine.isUsable(hidden, { ...scram, bindingUnannounced: true }, bound));
  const bare = findMechanism("SCRAM-SHA-256");
  assert.ok(bare);
  const able = Buffer.from("y,,n=a,r=nonce");
  assert.equal(engine.beginExchange(bare, able, { ...scram, bindingUnannounced: true }, bound).step.kind, "question");
  assert.equal(engine.beginExchange(bare, able, scram, bound).step.kind, "failed");
});

test("P7 credentials do not print the password", () => {
  const { step } = beginExchange(mechanism("PLAIN"), octets("\0tim\0hunter2"));
  assert.ok(!JSON.stringify(step).includes("hunter2"));
});
