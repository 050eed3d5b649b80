import assert from "node:assert/strict";
import { hash as digest, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Secret } from "../lib/secret.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import { openStore } from "../store/open.ts";
import { deriveScramKeys } from "./scram-keys.ts";
import { createScramLearner } from "./scram-learner.ts";
import { scramSalt } from "./scram.ts";
import { addressOf, credentialMaker, house, keys } from "./testing.ts";
import { createAppPasswordUses } from "./uses.ts";

const ANN = addressOf("ann@example.test");
const imported = (password: string): string => `{SHA256}${digest("sha256", password, "base64")}`;

/** A house whose accounts are in a real store. */
async function stored() {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep-login-"));
  const { log } = recordingLog();
  const opened = await openStore({ folder, log, metrics: testMetrics().metrics });
  assert.ok(opened.ok);
  const store = opened.value;
  const { directory, devices } = store;
  const maker = credentialMaker();
  const { passwords } = maker;
  const learner = createScramLearner({ directory, passwords, keys });
  const uses = createAppPasswordUses({ devices, log });
  const visits = house({ directory, devices, passwords, learner, uses, requireAppPassword: () => false });
  await directory.addDomain(visits.directory.byAddress.get(ANN)?.domain ?? assert.fail(), 0);
  const quota = { octets: null, messages: null };
  const added = await directory.addAccounts(
    [{ address: ANN, secret: imported("right horse"), enabled: true, quota }],
    0,
  );
  assert.ok(added.ok);
  return {
    ...visits,
    store,
    maker,
    learner,
    uses,
    account: added.value[0] ?? assert.fail(),
    /** All octets of the store's files, once it is closed. */
    close: async () => {
      await learner[Symbol.asyncDispose]();
      await uses[Symbol.asyncDispose]();
      await maker[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const octets = Buffer.concat(files.map((file) => readFileSync(path.join(file.parentPath, file.name))));
      rmSync(folder, { recursive: true, force: true });
      return octets;
    },
  };
}

test("an imported account logs in by PLAIN first, and by SCRAM from then on", async () => {
  const { as, prove, learner, store, close } = await stored();
  try {
    assert.equal((await store.directory.summary()).everyoneHasScram, false);
    assert.equal((await prove("ann", "right horse")).outcome.ok, false);
    assert.equal((await as("ann", "right horse")).ok, true);
    await learner[Symbol.asyncDispose]();
    assert.equal((await store.directory.summary()).everyoneHasScram, true);
    const { outcome, serverSignature } = await prove("ann", "right horse");
    assert.ok(outcome.ok);
    assert.deepEqual(Buffer.from(outcome.value.serverSignature ?? ""), Buffer.from(serverSignature));
    assert.equal((await prove("ann", "right  horse")).outcome.ok, false);
  } finally {
    await close();
  }
});

test("keys of a password that was changed meanwhile are not written: the old one opens nothing", async () => {
  const { as, prove, learner, store, close } = await stored();
  try {
    const login = await as("ann", "right horse");
    const changed = await store.directory.changeAccount(ANN, { secret: imported("new horse"), scram: null });
    assert.ok(login.ok && changed.ok);
    await learner[Symbol.asyncDispose]();
    assert.equal((await store.directory.account(ANN))?.scram, null);
    assert.equal((await prove("ann", "right horse")).outcome.ok, false);
    assert.equal((await as("ann", "new horse")).ok, true);
  } finally {
    await close();
  }
});

test("an app password works by the store's rows, its use is noted, and revoked it is gone", async () => {
  const { as, prove, maker, store, account, uses, time, close } = await stored();
  const made = await maker.makeAppPassword(ANN);
  const { digest: of, scram } = made;
  try {
    const given = { account: account.id, name: "phone", digest: of, scram, noDelete: true, expires: null, created: 0 };
    assert.ok((await store.devices.addAppPassword({ ...given, scopes: ["pop3"] })).ok);
    const outcome = await as("ann", made.text.reveal());
    assert.partialDeepStrictEqual(outcome.ok && outcome.value.device, { name: "phone", noDelete: true });
    assert.equal((await prove("ann", made.text.reveal())).outcome.ok, true);
    await uses[Symbol.asyncDispose]();
    const [phone] = await store.devices.appPasswords(account.id);
    assert.partialDeepStrictEqual(phone, { lastUsed: 5000, lastPeer: "198.51.100.7" });
    assert.equal(time.now, 5000);
    assert.ok((await store.devices.removeAppPassword(account.id, "phone")).ok);
    assert.equal((await as("ann", made.text.reveal())).ok, false);
    assert.equal((await prove("ann", made.text.reveal())).outcome.ok, false);
  } finally {
    await close();
  }
});

test("P7 a stolen store holds no password, no salt and no key of SCRAM", async () => {
  const { maker, store, account, close } = await stored();
  const password = randomBytes(12).toString("hex");
  const own = await maker.makeCredentials(ANN, new Secret(password));
  const made = await maker.makeAppPassword(ANN);
  assert.ok(own.ok);
  assert.ok((await store.directory.changeAccount(ANN, own.value)).ok);
  const { digest: of, scram } = made;
  const given = { account: account.id, name: "phone", digest: of, scram, noDelete: false, expires: null, created: 0 };
  assert.ok((await store.devices.addAppPassword({ ...given, scopes: ["pop3"] })).ok);
  const salt = scramSalt(keys, ANN);
  const octets = await close();
  const shown = made.text.reveal();
  const forms = [password, shown, shown.replaceAll("-", "")];
  const derived = await Promise.all(forms.map((form) => deriveScramKeys(form, salt)));
  const secrets = [salt, ...Object.values(keys), ...forms.map((form) => Buffer.from(form))];
  const all = derived.flatMap(({ sha256, sha1 }) => [
    sha256.storedKey,
    sha256.serverKey,
    sha1.storedKey,
    sha1.serverKey,
  ]);
  assert.ok(octets.includes(Buffer.from(own.value.scram)), "what is looked through is the store");
  for (const secret of [...secrets.filter((one) => one !== keys.id), ...all])
    assert.equal(octets.includes(secret), false);
});
