import assert from "node:assert/strict";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { Account } from "../../src/model/account.ts";
import type { Uid } from "../../src/model/ids.ts";
import { openInThread } from "./store-adapters.ts";
import { assertConsistent } from "./store-consistency.ts";
import type { StoreUnderTest } from "./store-world.ts";
import { addAccount, content, deliver, deliverMany, eventually, must, uids } from "./store-world.ts";

const cause = { session: "s", device: "phone", peer: "", kind: "removed", keep: true } as const;

/** Changes rows behind the store's back, as a disk that rots does. */
function rot(folder: string, ...statements: string[]): void {
  using sql = new DatabaseSync(path.join(folder, "mailkeep.db"));
  for (const statement of statements) sql.exec(statement);
}

async function world(): Promise<{ under: StoreUnderTest; ann: Account } & AsyncDisposable> {
  const under = await openInThread();
  return {
    under,
    ann: await addAccount(under.store, "ann"),
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  };
}

describe("P2: a row that is not as it was written", () => {
  it("is removed by no QUIT, whichever field is wrong, and all others that were marked are", async () => {
    for (const change of [
      "octets = octets + 64",
      "uidl_tag = uidl_tag + 1",
      "body = 1",
      "received = 5",
      "row_crc = 7",
    ]) {
      await using at = await world();
      const { store, folder } = at.under;
      await deliverMany(store, at.ann, 4);
      rot(folder, `update message set ${change} where uid = 3`);
      const done = must(await store.mail.expunge(at.ann.inbox, Uint32Array.of(2, 3, 4), cause));
      assert.deepEqual(done, { removed: 2, damaged: [3] }, change);
      assert.deepEqual(await uids(store, at.ann.inbox), [1, 3]);
      assert.equal((await content(store, at.ann.inbox, 1 as Uid)).toString(), "message 0\r\n");
      assert.equal((await store.mail.snapshot(at.ann.inbox))?.messages, 2);
      assert.deepEqual(
        (await store.mail.removedMessages(at.ann.inbox, { limit: 9 })).map(({ uid }) => uid),
        [4, 2],
      );
      assert.deepEqual(must(await store.mail.expunge(at.ann.inbox, Uint32Array.of(3))), { removed: 0, damaged: [3] });
    }
  });

  it("is found by who looks at many rows", async () => {
    await using at = await world();
    const { store, folder } = at.under;
    await deliverMany(store, at.ann, 7);
    rot(folder, "update message set octets = 1 where uid in (2, 6)");
    assert.deepEqual(await store.mail.damagedRows(at.ann.inbox, 0, 7, 3), { damaged: [2], last: 3 });
    assert.deepEqual(await store.mail.damagedRows(at.ann.inbox, 3, 7, 9), { damaged: [6], last: undefined });
    assert.deepEqual(await store.mail.damagedRows(at.ann.inbox, 2, 5, 9), { damaged: [], last: undefined });
  });

  it("comes back into its mailbox when it rots while a large removal waits to be carried out", async () => {
    await using at = await world();
    const { store, folder } = at.under;
    const all = await deliverMany(store, at.ann, 2600);
    assert.deepEqual(must(await store.mail.expunge(at.ann.inbox, Uint32Array.from(all), cause)), { removed: 2600 });
    rot(folder, "update message set uidl_tag = uidl_tag + 1 where uid = 2600");
    await eventually(async () => (await store.mail.snapshot(at.ann.inbox))?.messages === 1, "it is back");
    await eventually(async () => (await uids(store, at.ann.inbox)).length === 1, "all others are gone");
    assert.deepEqual(await uids(store, at.ann.inbox), [2600]);
    assertConsistent(folder);
  });

  it("takes no other message's body with it when it is erased for good, or with its account", async () => {
    await using at = await world();
    const { store, folder } = at.under;
    const bob = await addAccount(store, "bob");
    await deliver(store, bob, "of bob\r\n");
    await deliverMany(store, at.ann, 3);
    must(await store.mail.expunge(at.ann.inbox, Uint32Array.of(1, 2), cause));
    rot(folder, "update removed set body = 1 where uid = 1", "update message set body = 1 where uid = 3");
    assert.equal(must(await store.upkeep.erase(Number.MAX_SAFE_INTEGER)).messages, 1);
    assert.deepEqual(
      (await store.mail.removedMessages(at.ann.inbox, { limit: 9 })).map(({ uid }) => uid),
      [1],
    );
    must(await store.directory.removeAccount(at.ann.address));
    await eventually(async () => (await uids(store, at.ann.inbox)).length === 0, "the account's mail is gone");
    assert.equal((await content(store, bob.inbox, 1 as Uid)).toString(), "of bob\r\n");
  });
});
