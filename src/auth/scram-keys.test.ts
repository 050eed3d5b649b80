import assert from "node:assert/strict";
import { createHmac, hash as digest, pbkdf2Sync } from "node:crypto";
import { test } from "node:test";
import { Secret } from "../lib/secret.ts";
import { prepareToKeep } from "./prepare.ts";
import {
  checkProof,
  createScramSeal,
  deriveScramKeys,
  ownerOf,
  ownerOfAppPassword,
  SCRAM_ITERATIONS,
  type ScramHashKeys,
} from "./scram-keys.ts";
import { deriveHouseKeys } from "./secret-key.ts";
import { addressOf, client, credentialMaker, house, keys, proofOf } from "./testing.ts";

const ANN = addressOf("ann@example.test");
const SALT = Buffer.from("salt of 16 octet");
const seal = createScramSeal(keys);

/** Keys as the RFC says, for the rounds of its examples. */
function keysOf(hash: "sha1" | "sha256", salt: string): ScramHashKeys {
  const salted = pbkdf2Sync("pencil", Buffer.from(salt, "base64"), 4096, hash === "sha1" ? 20 : 32, hash);
  const of = (text: string): Buffer => createHmac(hash, salted).update(text).digest();
  return { storedKey: digest(hash, of("Client Key"), "buffer"), serverKey: of("Server Key") };
}

test("SCRAM-01 the proofs of RFC 5802 §5 and RFC 7677 §3 are right, and the server's signatures are theirs", () => {
  const examples = [
    {
      hash: "sha1",
      salt: "QSXCR+Q6sek8bf92",
      message:
        "n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
      proof: "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
      signature: "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    },
    {
      hash: "sha256",
      salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
      message:
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
      proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    },
  ] as const;
  for (const { hash, salt, message, proof, signature } of examples) {
    const own = keysOf(hash, salt);
    const octets = Buffer.from(proof, "base64");
    const given = checkProof(own, hash, Buffer.from(message), octets);
    assert.equal(given && Buffer.from(given).toString("base64"), signature);
    assert.equal(checkProof(own, hash, Buffer.from(`${message}x`), octets), undefined);
    assert.equal(checkProof(own, hash, Buffer.from(message), octets.subarray(1)), undefined);
    assert.equal(checkProof(own, hash, Buffer.from(message), Buffer.concat([octets, Buffer.of(0)])), undefined);
    for (let at = 0; at < octets.length; at++) {
      const changed = Buffer.from(octets);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(checkProof(own, hash, Buffer.from(message), changed), undefined);
    }
  }
});

test("derived keys know their password, for either hash, at 30,000 rounds", async () => {
  const derived = await deriveScramKeys("pencil", SALT);
  for (const hash of ["sha1", "sha256"] as const) {
    const facts = { salt: SALT, iterations: SCRAM_ITERATIONS };
    const right = proofOf("pencil", hash, facts);
    const signature = checkProof(derived[hash], hash, right.message, right.proof);
    assert.deepEqual(signature && Buffer.from(signature), Buffer.from(right.serverSignature));
    const wrong = proofOf("Pencil", hash, facts);
    assert.equal(checkProof(derived[hash], hash, wrong.message, wrong.proof), undefined);
  }
  assert.equal(SCRAM_ITERATIONS, 30_000);
});

test("sealed keys open for their owner and by their key, and no octet of them may be changed", async () => {
  const one = await deriveScramKeys("one", SALT);
  const other = await deriveScramKeys("other", SALT);
  const sealed = seal.seal([one, other], ownerOf(ANN));
  const opened = seal.unseal(sealed, ownerOf(ANN));
  const plain = (all: typeof opened): unknown =>
    all?.map(({ sha256, sha1 }) =>
      [sha256.storedKey, sha256.serverKey, sha1.storedKey, sha1.serverKey].map((key) =>
        Buffer.from(key).toString("hex"),
      ),
    );
  assert.deepEqual(plain(opened), plain([one, other]));

  assert.equal(seal.unseal(sealed, ownerOf(addressOf("bob@example.test"))), undefined);
  assert.equal(seal.unseal(sealed, ownerOfAppPassword(ANN, SALT)), undefined);
  const elsewhere = createScramSeal(deriveHouseKeys(Buffer.alloc(32, 2)));
  assert.equal(elsewhere.unseal(sealed, ownerOf(ANN)), undefined);
  assert.equal(elsewhere.isOurs(sealed), false);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(seal.unseal(changed, ownerOf(ANN)), undefined, `octet ${at}`);
  }
  for (let octets = 0; octets < sealed.length; octets++)
    assert.equal(seal.unseal(sealed.subarray(0, octets), ownerOf(ANN)), undefined, `${octets} octets`);
});

test("P7: who stole the database cannot test a password by it: without secrets.key neither salt nor keys can be read", async () => {
  await using maker = credentialMaker();
  const made = await maker.makeCredentials(ANN, new Secret("pencil"));
  const again = await maker.makeCredentials(ANN, new Secret("pencil"));
  assert.ok(made.ok && again.ok);
  const app = await maker.makeAppPassword(ANN);
  const { salt } = await house().scram({ kind: "scram", user: "ann", hash: "sha256" }, client.peer);
  const derived = await deriveScramKeys("pencil", salt);

  // With the salt, which any client is told, and the right guess: still nothing of the row tells that it is right.
  for (const { storedKey, serverKey } of [derived.sha256, derived.sha1])
    for (const key of [storedKey, serverKey]) assert.equal(Buffer.from(made.value.scram).includes(key), false);
  assert.equal(Buffer.from(made.value.scram).includes(salt), false);
  assert.notDeepEqual(made.value.scram, again.value.scram, "the same password is not seen to be the same");
  assert.match(made.value.secret, /^\$argon2id\$/);
  const octets = Buffer.from(app.text.reveal());
  assert.equal(Buffer.concat([app.digest, app.scram]).includes(octets), false);
  assert.notEqual(digest("sha256", octets), Buffer.from(app.digest).toString("hex"));
  assert.equal(createScramSeal(keys).unseal(made.value.scram, ownerOf(ANN))?.length, 1, "and with it they can");
});

test("SASL-05 a password of several forms has keys for what clients make of it", async () => {
  await using maker = credentialMaker();
  const typed = "pa\u00ads\u2168";
  assert.equal(prepareToKeep(typed), "pasIX");
  const made = await maker.makeCredentials(ANN, new Secret(typed));
  assert.ok(made.ok);
  const opened = seal.unseal(made.value.scram, ownerOf(ANN));
  assert.ok(opened);
  const { salt, iterations } = await house().scram({ kind: "scram", user: "ann", hash: "sha256" }, client.peer);
  for (const form of ["pasIX", typed]) {
    const { message, proof } = proofOf(form, "sha256", { salt, iterations });
    assert.ok(
      opened.some(({ sha256 }) => checkProof(sha256, "sha256", message, proof)),
      form,
    );
  }
});
