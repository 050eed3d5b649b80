import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { deriveHouseKeys, openSecretKey, SECRET_KEY_FILE } from "./secret-key.ts";

const root = mkdtempSync(path.join(os.tmpdir(), "mailkeep-secret-key-"));
after(() => rmSync(root, { recursive: true, force: true }));

function folder(name: string): string {
  const made = path.join(root, name);
  mkdirSync(made);
  return made;
}

test("the first time it is made, 32 octets that only its owner may read; then it is the same", async () => {
  const here = folder("new");
  const first = await openSecretKey(here);
  assert.ok(first.ok);
  assert.equal(first.value.made, true);
  assert.equal(first.value.octets.length, 32);
  assert.deepEqual(readdirSync(here), [SECRET_KEY_FILE]);
  assert.equal(statSync(path.join(here, SECRET_KEY_FILE)).mode & 0o777, 0o600);
  const again = await openSecretKey(here);
  assert.ok(again.ok);
  assert.equal(again.value.made, false);
  assert.deepEqual(Buffer.from(again.value.octets), Buffer.from(first.value.octets));
  const other = await openSecretKey(folder("other"));
  assert.ok(other.ok);
  assert.notDeepEqual(Buffer.from(other.value.octets), Buffer.from(first.value.octets));
});

test("one whose making was cut off is begun anew", async () => {
  const here = folder("cut");
  writeFileSync(path.join(here, `${SECRET_KEY_FILE}.new`), "half");
  const opened = await openSecretKey(here);
  assert.ok(opened.ok);
  assert.equal(opened.value.made, true);
  assert.deepEqual(readdirSync(here), [SECRET_KEY_FILE]);
});

test("a file that is no key is told and left as it is", async () => {
  for (const octets of [0, 31, 33]) {
    const here = folder(`wrong-${octets}`);
    const file = path.join(here, SECRET_KEY_FILE);
    writeFileSync(file, Buffer.alloc(octets, 7));
    const opened = await openSecretKey(here);
    assert.ok(!opened.ok);
    assert.equal(opened.error.kind, "wrong-size");
    assert.match(opened.error.reason, /secrets\.key has \d+ octets where a key has 32/);
    assert.deepEqual(readFileSync(file), Buffer.alloc(octets, 7));
  }
});

test("what cannot be read or written is told, and why", async () => {
  const here = folder("unreadable");
  mkdirSync(path.join(here, SECRET_KEY_FILE));
  const opened = await openSecretKey(here);
  assert.ok(!opened.ok);
  assert.equal(opened.error.kind, "unreadable");
  assert.match(opened.error.reason, /EISDIR/);
  const missing = await openSecretKey(path.join(root, "nowhere"));
  assert.ok(!missing.ok);
  assert.equal(missing.error.kind, "not-written");
  assert.match(missing.error.reason, /ENOENT/);
});

test("each purpose has a key of its own, and the id tells nothing of them", () => {
  const { id, ...derived } = deriveHouseKeys(Buffer.alloc(32, 1));
  const texts = Object.values(derived).map((key) => Buffer.from(key).toString("hex"));
  assert.equal(new Set(texts).size, 3);
  assert.ok(texts.every((text) => text.length === 64 && !text.includes(Buffer.from(id).toString("hex"))));
  assert.equal(id.length, 4);
  assert.deepEqual(deriveHouseKeys(Buffer.alloc(32, 1)), { id, ...derived }, "and they are the same each time");
  assert.notDeepEqual(deriveHouseKeys(Buffer.alloc(32, 2)).id, id);
});
