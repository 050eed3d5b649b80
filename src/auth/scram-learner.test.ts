import assert from "node:assert/strict";
import { test } from "node:test";
import { err, ok } from "../lib/result.ts";
import { Secret } from "../lib/secret.ts";
import type { AccountId } from "../model/ids.ts";
import { StoreError } from "../store/ports.ts";
import { checkProof, createScramSeal, ownerOf } from "./scram-keys.ts";
import { createScramLearner, type ScramLearnerOptions } from "./scram-learner.ts";
import { deriveHouseKeys } from "./secret-key.ts";
import { client, credentialMaker, house, keys, made, proofOf } from "./testing.ts";

const NETWORK = "198.51.100.7";
const ann = made(1, "ann@example.test", { secret: "{SSHA256}imported" });

function learner(
  passwords: ScramLearnerOptions["passwords"],
  answer: ScramLearnerOptions["directory"]["addScram"] = async () => ok(undefined),
) {
  const added: { readonly account: AccountId; readonly secret: string; readonly scram: Uint8Array }[] = [];
  const directory: ScramLearnerOptions["directory"] = {
    addScram: (account, secret, scram) => {
      added.push({ account, secret, scram });
      return answer(account, secret, scram);
    },
  };
  const own = createScramLearner({ directory, passwords, keys });
  const saw: typeof own.saw = (account, password, network) => own.saw(account, password, network);
  return { added, saw, done: () => own[Symbol.asyncDispose]() };
}

test("an imported account gets keys that its password proves, sealed for it, with the secret that they go with", async () => {
  await using maker = credentialMaker();
  const { saw, added, done } = learner(maker.passwords);
  saw(ann, new Secret("right horse"), NETWORK);
  await done();
  assert.equal(added.length, 1);
  const [one] = added;
  assert.ok(one);
  assert.equal(one.account, 1);
  assert.equal(one.secret, "{SSHA256}imported");
  const [opened] = createScramSeal(keys).unseal(one.scram, ownerOf(ann.address)) ?? [];
  assert.ok(opened);
  const facts = await house().scram({ kind: "scram", user: "ann", hash: "sha256" }, client.peer);
  const { message, proof } = proofOf("right horse", "sha256", facts);
  assert.ok(checkProof(opened.sha256, "sha256", message, proof));
});

test("many logins at once make keys once, and few accounts at a time are worked on", async () => {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { saw, added, done } = learner({
    scramKeys: async () => {
      asked += 1;
      await promise;
      return err("unavailable");
    },
  });
  for (let n = 0; n < 50; n++) saw(ann, new Secret("right horse"), NETWORK);
  assert.equal(asked, 1);
  for (let id = 2; id < 50; id++) saw(made(id, `user${id}@example.test`), new Secret("right horse"), NETWORK);
  assert.equal(asked, 4);
  resolve();
  await done();
  assert.deepEqual(added, [], "a hasher without time is tried again at the next login");
  saw(ann, new Secret("right horse"), NETWORK);
  assert.equal(asked, 5);
  await done();
});

test("who has keys is left alone; keys of a lost secret key are made anew", async () => {
  await using maker = credentialMaker();
  const own = await maker.makeCredentials(ann.address, new Secret("right horse"));
  assert.ok(own.ok);
  const { saw, added, done } = learner(maker.passwords);
  saw({ ...ann, scram: own.value.scram }, new Secret("right horse"), NETWORK);
  await done();
  assert.deepEqual(added, []);
  const lost = createScramSeal(deriveHouseKeys(Buffer.alloc(32, 2))).seal([], ownerOf(ann.address));
  saw({ ...ann, scram: lost }, new Secret("right horse"), NETWORK);
  await done();
  assert.equal(added.length, 1);
});

test("a password that was changed meanwhile, or a store that does not answer, harms nobody", async () => {
  await using maker = credentialMaker();
  const outcomes = [
    async () => err("changed"),
    () => Promise.reject(new StoreError("unavailable", "the disk is gone")),
  ];
  for (const outcome of outcomes) {
    const { saw, added, done } = learner(maker.passwords, outcome);
    saw(ann, new Secret("right horse"), NETWORK);
    await done();
    saw(ann, new Secret("right horse"), NETWORK);
    await done();
    assert.equal(added.length, 2, "and the next login tries again");
  }
});
