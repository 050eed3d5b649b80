import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Secret } from "../lib/secret.ts";
import type { AccountId } from "../model/ids.ts";
import { createVerificationCache } from "./cache.ts";

const ann = 1 as AccountId;
const bob = 2 as AccountId;

function fresh() {
  const time = { now: 1000 };
  const clock = { now: () => time.now, monotonic: () => time.now };
  return { time, cache: createVerificationCache({ key: randomBytes(32), clock }) };
}

test("only the very same password, secret and account are known again", () => {
  const { cache } = fresh();
  cache.add(ann, "stored", new Secret("right"));
  assert.equal(cache.has(ann, "stored", new Secret("right")), true);
  assert.equal(cache.has(ann, "stored", new Secret("Right")), false);
  assert.equal(cache.has(ann, "changed", new Secret("right")), false);
  assert.equal(cache.has(bob, "stored", new Secret("right")), false);
  assert.equal(cache.has(ann, "store", new Secret("dright")), false);
});

test("a changed secret is learnt anew, and the old password is gone", () => {
  const { cache } = fresh();
  cache.add(ann, "old", new Secret("before"));
  cache.add(ann, "new", new Secret("after"));
  assert.equal(cache.has(ann, "old", new Secret("before")), false);
  assert.equal(cache.has(ann, "new", new Secret("after")), true);
});

test("after an hour the hash is asked again, however often it was used", () => {
  const { cache, time } = fresh();
  cache.add(ann, "stored", new Secret("right"));
  time.now = 59 * 60_000;
  assert.equal(cache.has(ann, "stored", new Secret("right")), true);
  time.now = 61 * 60_000;
  assert.equal(cache.has(ann, "stored", new Secret("right")), false);
});

test("it holds 10,000 accounts, those used last", () => {
  const { cache } = fresh();
  for (let id = 1; id <= 10_001; id++) {
    cache.add(id as AccountId, "stored", new Secret("right"));
    cache.has(ann, "stored", new Secret("right"));
  }
  assert.equal(cache.has(ann, "stored", new Secret("right")), true);
  assert.equal(cache.has(bob, "stored", new Secret("right")), false);
});
