import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../model/address.ts";
import { StoreError } from "../store/ports.ts";
import { indexOfUid, readListing } from "./listing.ts";
import { MemoryStore } from "./testing.ts";

const running = (): boolean => false;

async function house(messages: number) {
  const store = new MemoryStore();
  const { inbox } = store.addAccount("ann@example.test" as Address);
  for (let n = 1; n <= messages; n++) {
    store.deliver(inbox, Buffer.alloc(n % 50, "x"), n % 1000 === 0 ? { name: `kept-${n}` } : {});
  }
  const snapshot = await store.mail.snapshot(inbox);
  assert.ok(snapshot);
  return { store, inbox, snapshot };
}

test("pages come together in order, with the UIDLs that were kept at their places", async () => {
  const { store, inbox, snapshot } = await house(4500);
  await store.mail.expunge(inbox, Uint32Array.of(1, 2001, 4500));
  const after = await store.mail.snapshot(inbox);
  assert.ok(after);
  const listing = await readListing(store.mail, inbox, after, running);
  assert.equal(snapshot.messages - after.messages, 3);
  assert.equal(listing.messages, 4497);
  assert.deepEqual([listing.uids[0], listing.uids[1999], listing.uids[4496]], [2, 2002, 4499]);
  assert.deepEqual([listing.octets[0], listing.tags[0]], [2, 0xa0000002]);
  assert.deepEqual(
    [...listing.names],
    [
      [998, "kept-1000"],
      [1998, "kept-2000"],
      [2997, "kept-3000"],
      [3997, "kept-4000"],
    ],
  );
});

test("what came after the snapshot does not show (rule 1939-07)", async () => {
  const { store, inbox, snapshot } = await house(5);
  store.deliver(inbox, Buffer.from("late"));
  assert.deepEqual((await readListing(store.mail, inbox, snapshot, running)).uids, Uint32Array.of(1, 2, 3, 4, 5));
});

test("an empty maildrop, and one that just fills a page", async () => {
  const empty = await house(0);
  assert.equal((await readListing(empty.store.mail, empty.inbox, empty.snapshot, running)).messages, 0);
  const full = await house(2000);
  assert.equal((await readListing(full.store.mail, full.inbox, full.snapshot, running)).uids[1999], 2000);
});

test("a store that disagrees with itself is damaged, never an empty or a shifted maildrop", async () => {
  const { store, inbox, snapshot } = await house(10);
  for (const messages of [9, 11]) {
    await assert.rejects(readListing(store.mail, inbox, { ...snapshot, messages }, running), (error) => {
      assert.ok(error instanceof StoreError);
      assert.equal(error.kind, "damaged");
      return true;
    });
  }
});

test("between pages the loop turns, and a session that ended stops the reading", async () => {
  const { store, inbox, snapshot } = await house(4500);
  let turned = false;
  setImmediate(() => (turned = true));
  await assert.rejects(
    readListing(store.mail, inbox, snapshot, () => turned),
    /the session ended/,
  );
});

test("the index of a uid is found where uids skip ahead", () => {
  const uids = Uint32Array.of(3, 4, 90, 4_000_000_000);
  assert.deepEqual(
    [3, 4, 90, 4_000_000_000, 1, 5, 4_100_000_000].map((uid) => indexOfUid(uids, uid)),
    [0, 1, 2, 3, -1, -1, -1],
  );
  assert.equal(indexOfUid(new Uint32Array(), 1), -1);
});
