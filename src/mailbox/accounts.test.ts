import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { err, ok } from "../lib/result.ts";
import { releaseMaildrop, removeAccount, setEnabled } from "./accounts.ts";
import { house, opening } from "./testing-house.ts";

describe("accounts", () => {
  test("disabling cuts the sessions of both maildrops and keeps no lease; enabling cuts none", async () => {
    const { store, parts, ann, owner, mailboxes, open, lost } = house();
    const drop = await open();
    await mailboxes.openMaildrop(owner(ann, ann.junk), opening, () => lost.push("junk lost"));
    assert.equal((await setEnabled(parts, ann.address, true)).ok, true);
    assert.deepEqual(lost, []);
    const changed = await setEnabled(parts, ann.address, false);
    assert.ok(changed.ok);
    assert.equal(changed.value.enabled, false);
    assert.deepEqual(lost, ["lost", "junk lost"]);
    assert.deepEqual(await drop.update(Uint32Array.of(1)), err("lost"));
    assert.equal(store.leases.held(ann.inbox) || store.leases.held(ann.junk), false);
  });

  test("removing cuts sessions first, then all goes at once", async () => {
    const { store, parts, ann, open, lost } = house();
    store.deliver(ann.inbox, Buffer.from("one"));
    store.deliver(ann.junk, Buffer.from("two"));
    await open();
    assert.deepEqual(await removeAccount(parts, ann.address), ok({ messages: 2 }));
    assert.deepEqual(lost, ["lost"]);
    assert.equal(store.boxes.size, 0);
    assert.equal(store.leases.held(ann.inbox) || store.leases.held(ann.junk), false);
    assert.deepEqual(await removeAccount(parts, ann.address), err("unknown"));
    assert.deepEqual(await setEnabled(parts, ann.address, false), err("unknown"));
  });
});

describe("release by an administrator", () => {
  test("ends the session and lets the next one in; with no session it only says so", async () => {
    const { parts, ann, open, lost } = house();
    assert.equal(await releaseMaildrop(parts, ann.inbox), false);
    const drop = await open();
    assert.equal(await releaseMaildrop(parts, ann.inbox), true);
    assert.deepEqual(lost, ["lost"]);
    assert.deepEqual(await drop.update(Uint32Array.of(1)), err("lost"));
    await open();
    assert.deepEqual(lost, ["lost"]);
  });
});
