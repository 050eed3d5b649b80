import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { ok } from "../lib/result.ts";
import { Secret } from "../lib/secret.ts";
import { createVerificationCache, type VerificationCache } from "./cache.ts";

function fresh() {
  const time = { now: 1000 };
  const clock = { now: () => time.now, monotonic: () => time.now };
  return { time, cache: createVerificationCache({ key: randomBytes(32), clock }) };
}

/** Has the cache ask, and tells whether the question was put. */
async function put(cache: VerificationCache, name: string, stored: string, password: string, right = true) {
  let asked = false;
  await cache.ask(name, stored, new Secret(password), () => {
    asked = true;
    return Promise.resolve(ok(right));
  });
  return asked;
}

test("only the very same password, secret and account are known again", async () => {
  const { cache } = fresh();
  await put(cache, "ann", "stored", "right");
  assert.equal(cache.has("ann", "stored", new Secret("right")), true);
  assert.equal(cache.has("ann", "stored", new Secret("Right")), false);
  assert.equal(cache.has("ann", "changed", new Secret("right")), false);
  assert.equal(cache.has("bob", "stored", new Secret("right")), false);
  assert.equal(cache.has("ann", "store", new Secret("dright")), false);
});

test("a wrong password is not remembered, and takes nothing from the right one", async () => {
  const { cache } = fresh();
  await put(cache, "ann", "stored", "right");
  await put(cache, "ann", "stored", "wrong", false);
  assert.equal(cache.has("ann", "stored", new Secret("wrong")), false);
  assert.equal(cache.has("ann", "stored", new Secret("right")), true);
});

test("a changed secret is learnt anew, and the old password is gone", async () => {
  const { cache } = fresh();
  await put(cache, "ann", "old", "before");
  await put(cache, "ann", "new", "after");
  assert.equal(cache.has("ann", "old", new Secret("before")), false);
  assert.equal(cache.has("ann", "new", new Secret("after")), true);
});

test("after an hour the hash is asked again, however often it was used", async () => {
  const { cache, time } = fresh();
  await put(cache, "ann", "stored", "right");
  time.now = 59 * 60_000;
  assert.equal(cache.has("ann", "stored", new Secret("right")), true);
  time.now = 61 * 60_000;
  assert.equal(cache.has("ann", "stored", new Secret("right")), false);
});

test("it holds 10,000 accounts, those used last", async () => {
  const { cache } = fresh();
  await put(cache, "ann", "stored", "right");
  for (let id = 1; id <= 10_000; id++) {
    await put(cache, `user${id}`, "stored", "right");
    cache.has("ann", "stored", new Secret("right"));
  }
  assert.equal(cache.has("ann", "stored", new Secret("right")), true);
  assert.equal(cache.has("user1", "stored", new Secret("right")), false);
});

test("the same question is put once at a time; a failed one can be put again", async () => {
  const { cache } = fresh();
  let asked = 0;
  const { promise, reject } = Promise.withResolvers<never>();
  const ask = () =>
    cache.ask("ann", "stored", new Secret("right"), () => {
      asked += 1;
      return promise;
    });
  const both = Promise.allSettled([ask(), ask()]);
  assert.equal(asked, 1);
  reject(new Error("the hasher is gone"));
  assert.deepEqual(
    (await both).map((one) => one.status),
    ["rejected", "rejected"],
  );
  assert.equal(await put(cache, "ann", "stored", "right"), true);
});

test("a fingerprint tells the same password from another", () => {
  const { cache } = fresh();
  assert.equal(cache.fingerprint(new Secret("a")), cache.fingerprint(new Secret("a")));
  assert.notEqual(cache.fingerprint(new Secret("a")), cache.fingerprint(new Secret("b")));
  assert.notEqual(cache.fingerprint(new Secret("a")), fresh().cache.fingerprint(new Secret("a")));
});
