import assert from "node:assert/strict";
import { hash as digest } from "node:crypto";
import { test } from "node:test";
import { Secret } from "../lib/secret.ts";
import { testMetrics } from "../observe/testing.ts";
import { createPasswords, isNobodysPassword, passwordProblem } from "./password.ts";

const network = "198.51.100.7";

function passwords() {
  const { metrics, sample } = testMetrics();
  return { sample, passwords: createPasswords({ metrics, concurrency: 2, queue: 256 }) };
}

test("a new password becomes argon2id with 19 MiB, two passes, one lane, and verifies", async () => {
  const { passwords: own, sample } = passwords();
  await using _ = own;
  const stored = await own.hashPassword(new Secret("pässwörd 密码"));
  assert.ok(stored.ok);
  assert.match(stored.value, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.deepEqual(await own.verify(stored.value, new Secret("pässwörd 密码"), network), { ok: true, value: true });
  assert.deepEqual(await own.verify(stored.value, new Secret("passwort"), network), { ok: true, value: false });
  assert.equal(sample('mailkeep_password_hashes_total{how="hashed"}'), 2);
});

test("two hashes of one password differ", async () => {
  const { passwords: own } = passwords();
  await using _ = own;
  const [one, other] = await Promise.all([own.hashPassword(new Secret("same")), own.hashPassword(new Secret("same"))]);
  assert.ok(one.ok && other.ok);
  assert.notEqual(one.value, other.value);
});

test("an empty password cannot be set and never verifies, also against a hash of the empty text", async () => {
  const { passwords: own } = passwords();
  await using _ = own;
  assert.deepEqual(await own.hashPassword(new Secret("")), { ok: false, error: "empty" });
  const imported = `{SHA}${digest("sha1", "", "base64")}`;
  assert.deepEqual(await own.verify(imported, new Secret(""), network), { ok: true, value: false });
});

test("a password has 255 octets at most and no control characters", () => {
  assert.equal(passwordProblem(new Secret("x".repeat(255))), undefined);
  assert.equal(passwordProblem(new Secret("x".repeat(256))), "too-long");
  assert.equal(passwordProblem(new Secret("密".repeat(86))), "too-long");
  assert.equal(passwordProblem(new Secret(" 密 code ")), undefined);
  for (const control of ["\0", "\n", "\r", "\u0085"])
    assert.equal(passwordProblem(new Secret(`a${control}b`)), "control-characters");
});

test("what SASLprep prohibits cannot be set, and is checked all the same where it was imported", async () => {
  const { passwords: own } = passwords();
  await using _ = own;
  for (const text of ["a\ue000", "a\u202eb", "🐎 battery", "אa", "\u00ad"]) {
    assert.equal(passwordProblem(new Secret(text)), "prohibited-characters", JSON.stringify(text));
    assert.deepEqual(await own.hashPassword(new Secret(text)), { ok: false, error: "prohibited-characters" });
    assert.equal(isNobodysPassword(new Secret(text)), false);
    const imported = `{SHA256}${digest("sha256", text, "base64")}`;
    assert.deepEqual(await own.verify(imported, new Secret(text), network), { ok: true, value: true });
  }
  // Each becomes eighteen letters (NFKC).
  assert.equal(passwordProblem(new Secret("\ufdfa".repeat(20))), "too-long");
});

test("SASL-05 a login is tried as typed, then prepared; what is set is prepared", async () => {
  const { passwords: own, sample } = passwords();
  await using _ = own;
  const stored = await own.hashPassword(new Secret("cafe\u0301 \u2168"));
  assert.ok(stored.ok);
  for (const typed of ["café IX", "cafe\u0301 IX", "cafe\u0301 \u2168", "caf\u00ade\u0301\u3000IX"])
    assert.deepEqual(await own.verify(stored.value, new Secret(typed), network), { ok: true, value: true }, typed);
  assert.deepEqual(await own.verify(stored.value, new Secret("cafe IX"), network), { ok: true, value: false });
  assert.equal(sample('mailkeep_password_hashes_total{how="hashed"}'), 1 + 2 + 2 + 2 + 1);
  const imported = `{SHA256}${digest("sha256", "cafe\u0301", "base64")}`;
  assert.deepEqual(await own.verify(imported, new Secret("cafe\u0301"), network), { ok: true, value: true });
});

test("the slow schemes are checked in a thread of their own, one after the other, right and wrong", async () => {
  const { passwords: own } = passwords();
  await using _ = own;
  const crypt = "$6$ab$2lDVylRMp48hlYZZFOCx/xnhJEsGPynJ17rt2um9Gb8wX6ygI4uDxg3Bg43pp/Hv397hwWfT8mciHws9eE4sR/";
  const answers = await Promise.all(
    ["secret", "wrong", "secret"].map((text) => own.verify(crypt, new Secret(text), network)),
  );
  assert.deepEqual(
    answers.map((answer) => answer.ok && answer.value),
    [true, false, true],
  );
});

test("a stored secret that nobody can read is an outage, not a wrong password", async () => {
  const { passwords: own } = passwords();
  await using _ = own;
  assert.deepEqual(await own.verify("{NOBODY}knows", new Secret("x"), network), { ok: false, error: "unavailable" });
});

test("a flood of one network fills the queue and is told so; another still gets its turn", async () => {
  const { passwords: own } = passwords();
  await using _ = own;
  const stored = await own.hashPassword(new Secret("right"));
  assert.ok(stored.ok);
  const flood = Array.from({ length: 300 }, () => own.verify(stored.value, new Secret("wrong"), "203.0.113.1"));
  let over = 0;
  const counted = Promise.all(flood.map((one) => one.then((answer) => (over += answer.ok ? 1 : 0))));
  const other = await own.verify(stored.value, new Secret("right"), network);
  assert.deepEqual(other, { ok: true, value: true });
  assert.ok(over < 20, `${over} of the flood came before it`);
  await counted;
  assert.ok(over < 300, "what did not fit was refused");
});
