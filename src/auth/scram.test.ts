import assert from "node:assert/strict";
import { test } from "node:test";
import type { Domain } from "../model/address.ts";
import { createScram, scramSalt } from "./scram.ts";
import { deriveHouseKeys } from "./secret-key.ts";
import { addressOf, client, directoryOf, keys, made } from "./testing.ts";

const directory = directoryOf([made(1, "ann@example.test"), made(2, "ann+exact@example.test")], ["example.test"]);
const scram = createScram({ directory, keys, defaultDomain: () => "example.test" as Domain });
const ask = (user: string) => scram({ kind: "scram", user, hash: "sha256" }, client.peer);
const saltOf = async (user: string): Promise<string> => Buffer.from((await ask(user)).salt).toString("hex");

test("SCRAM-01 salt and count are the same each time, of people and of nobody; only the nonce is fresh", async () => {
  for (const user of ["ann", "nobody@example.test", "ann@elsewhere.test", "<>", "", "x".repeat(255)]) {
    const [one, other] = [await ask(user), await ask(user)];
    assert.equal(one.salt.length, 16);
    assert.equal(one.iterations, 30_000);
    assert.deepEqual([one.salt, one.iterations], [other.salt, other.iterations]);
    assert.notEqual(one.nonce, other.nonce);
    assert.match(one.nonce, /^[\x21-\x2b\x2d-\x7e]{24}$/);
  }
});

test("an account's salt is that of its name, however it is typed", async () => {
  const own = Buffer.from(scramSalt(keys, addressOf("ann@example.test"))).toString("hex");
  for (const user of ["ann", "Ann@Example.TEST.", "ann+junk", "ann+exact", "ａｎｎ", "an\u00adn"])
    assert.equal(await saltOf(user), own, user);
  const exact = Buffer.from(scramSalt(keys, addressOf("ann+exact@example.test"))).toString("hex");
  assert.equal(exact, own, "a tag that is an account cannot be told from one that is none");
  const wide = Buffer.from(scramSalt(keys, addressOf("ａｎｎ@example.test"))).toString("hex");
  assert.equal(wide, own);
  assert.notEqual(await saltOf("bob"), own);
  assert.notEqual(await saltOf("ann@elsewhere.test"), own);
});

test("without the key nobody can tell whose salt it is, and nobody's name can make another's", async () => {
  const elsewhere = scramSalt(deriveHouseKeys(Buffer.alloc(32, 2)), addressOf("ann@example.test"));
  assert.notEqual(await saltOf("ann"), Buffer.from(elsewhere).toString("hex"));
  assert.notEqual(await saltOf("(not an address) <ann>"), await saltOf("<ann>"));
});

test("nobody is looked up for it", async () => {
  const blind = createScram({
    directory: { domains: () => Promise.resolve(["example.test" as Domain]) },
    keys,
    defaultDomain: () => undefined,
  });
  const { salt } = await blind({ kind: "scram", user: "ann", hash: "sha1" }, client.peer);
  assert.equal(Buffer.from(salt).toString("hex"), await saltOf("ann"));
});
