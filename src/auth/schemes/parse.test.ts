import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { parseSecret, parseStored, type SecretProblem } from "./parse.ts";
import { vectors } from "./test-vectors.ts";

async function matches(stored: string, password: string): Promise<boolean> {
  const check = parseStored(stored);
  assert.ok(check.ok, `${stored} is known`);
  return check.value.verify(Buffer.from(password, "utf8"));
}

describe("every scheme agrees with the program that made the hash", () => {
  for (const [by, password, stored] of vectors) {
    test(`${by}: ${stored.slice(0, 24)}`, async () => {
      assert.equal(await matches(stored, password), true);
      assert.equal(await matches(stored, `${password}x`), by.includes("BLF") && password.length === 72);
      assert.equal(await matches(stored, `Z${password.slice(1)}`), false);
    });
  }
});

describe("import", () => {
  const refusals: readonly (readonly [string, SecretProblem["code"], RegExp])[] = [
    ["", "empty", /empty/],
    ["hunter2", "unknown-scheme", /write \{PLAIN\} in front/],
    ["{SSHA512}", "empty", /behind the scheme/],
    [
      "{CRAM-MD5}9186d855e11eba527a7a52ca82b313e180d62234f0acc9051b527243d41e2740",
      "refused-scheme",
      /no password can be/,
    ],
    ["{NTLM}878d8014606cda29677a44efa1353fc7", "refused-scheme", /not offered/],
    ["{DES-CRYPT}rrOHeATfTMYEQ", "refused-scheme", /eight characters/],
    ["{CRYPT}rrOHeATfTMYEQ", "refused-scheme", /eight characters/],
    ["_J9..rasmBYk8r9AiWNc", "refused-scheme", /DES crypt/],
    ["$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o", "unknown-scheme", /yescrypt/],
    ["{XSHA}abc", "unknown-scheme", /in braces is not known/],
    ["{SSHA}zzz", "malformed", /not a \{SSHA\} hash/],
    ["{SHA512}c2hvcnQ=", "malformed", /not a \{SHA512\} hash/],
    ["$6$salt$short", "malformed", /not a \$6\$ hash/],
    ["{SHA256-CRYPT}$6$salt$short", "malformed", /SHA256-CRYPT/],
    ["$2y$03$bXT8VdAErxanhQ./h1GQjuix0KCuYTNRkE4Wvf6HljMhs3iXQajxS", "malformed", /\$2y\$/],
    ["$2y$16$bXT8VdAErxanhQ./h1GQjuix0KCuYTNRkE4Wvf6HljMhs3iXQajxS", "too-costly", /more work/],
    ["{PBKDF2}$1$c04VgdP7nW3GN0Dq$900000000$819ae30f73d14ff36b05b7eac013aa3a0e264fb4", "too-costly", /more work/],
    [`$6$rounds=999999999$salt$${"a".repeat(86)}`, "too-costly", /more work/],
    [`$argon2id$v=19$m=1048576,t=1,p=1$${"a".repeat(22)}$${"a".repeat(43)}`, "too-costly", /more work/],
    [`$argon2id$v=19$m=65536,t=4000,p=1$${"a".repeat(22)}$${"a".repeat(43)}`, "too-costly", /more work/],
    [`{SHA}${"a".repeat(5000)}`, "too-long", /4096/],
  ];
  for (const [text, code, words] of refusals) {
    test(`${text.slice(0, 30)} is refused as ${code}`, () => {
      const secret = parseSecret(text);
      assert.ok(!secret.ok);
      assert.equal(secret.error.code, code);
      assert.match(secret.error.words, words);
    });
  }

  test("clear passwords are to be hashed, whatever is in them", () => {
    for (const [text, password] of [
      ["{PLAIN}hunter2", "hunter2"],
      ["{clear}{SSHA}x", "{SSHA}x"],
      ["{CLEARTEXT} leading, comma", " leading, comma"],
      ["{PLAIN.b64}c2VjcmV0", "secret"],
      ["{PLAIN.HEX}736563726574", "secret"],
      ["{PLAIN}", ""],
    ] as const) {
      const secret = parseSecret(text);
      assert.ok(secret.ok && secret.value.kind === "password");
      assert.equal(secret.value.password.reveal(), password);
    }
  });

  test("a hash is kept as it came, and its scheme is named", () => {
    const stored =
      "{ssha512.hex}3380210013a5351f8ed606ca3b66aff7ce9d099241966f9036b1ae3c60087a75bf3b4f09b905a1138dac4672ab6226f75ea4bdf02a83643ae0a5ebad147df206379f9c53";
    assert.deepEqual(parseSecret(stored), { ok: true, value: { kind: "hash", scheme: "SSHA512", stored } });
    const bcrypt = "$2y$05$bXT8VdAErxanhQ./h1GQjuix0KCuYTNRkE4Wvf6HljMhs3iXQajxS";
    assert.deepEqual(parseSecret(bcrypt), { ok: true, value: { kind: "hash", scheme: "2y", stored: bcrypt } });
  });

  const heads = ["", "{SSHA}", "{PBKDF2}", "{CRYPT}", "{SCRAM-SHA-256}", "{MD5}", "{", "$", "$y$", "$6$", "$argon2id$"];
  const cutShort = fc
    .constantFrom(...vectors)
    .chain(([, , stored]) => fc.nat(stored.length).map((n) => stored.slice(0, n)));

  test("no text makes the parser throw", () => {
    const text = fc
      .tuple(fc.constantFrom(...heads), fc.oneof(fc.string(), cutShort))
      .map(([head, tail]) => head + tail);
    fc.assert(fc.property(text, (secret) => typeof parseSecret(secret).ok === "boolean"));
  });

  test("what the parser says never holds any of the secret (P7)", () => {
    const marked = fc
      .tuple(fc.constantFrom(...heads), fc.string(), fc.constantFrom("", "$", "}", "$$"))
      .map(([head, tail, end]) => `${head}hunter2${end}${tail}`);
    fc.assert(
      fc.property(marked, (secret) => {
        const parsed = parseSecret(secret);
        return parsed.ok || !/hunter2/i.test(parsed.error.words);
      }),
    );
  });
});
