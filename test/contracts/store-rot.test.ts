import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { Account } from "../../src/model/account.ts";
import type { Uid } from "../../src/model/ids.ts";
import { openInThread } from "./store-adapters.ts";
import { assertConsistent } from "./store-consistency.ts";
import type { StoreUnderTest } from "./store-world.ts";
import {
  addAccount,
  content,
  deliver,
  deliverMany,
  deliveryOf,
  eventually,
  memoryBody,
  must,
  uids,
} from "./store-world.ts";

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
    const looked = async (after: number, upTo: number, limit: number) => {
      const { damaged, uids: sound, last } = await store.mail.inspect(at.ann.inbox, after, upTo, limit);
      return { damaged, sound: [...sound], last };
    };
    assert.deepEqual(await looked(0, 7, 3), { damaged: [2], sound: [1, 3], last: 3 });
    assert.deepEqual(await looked(3, 7, 9), { damaged: [6], sound: [4, 5, 7], last: undefined });
    assert.deepEqual(await looked(2, 5, 9), { damaged: [], sound: [3, 4, 5], last: undefined });
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

describe("P2: a figure that rotted", () => {
  it("of a mailbox shows it to nobody, and gives no uid away", async () => {
    for (const change of [
      "messages = 1",
      "octets = 0",
      "next_uid = 2",
      "account = 77",
      "removed_octets = 9",
      '"sum" = 0',
    ]) {
      await using at = await world();
      const { store, folder } = at.under;
      await deliverMany(store, at.ann, 3);
      rot(folder, `pragma foreign_keys = off; update mailbox set ${change} where name = 'INBOX'`);
      await assert.rejects(
        async () => {
          if ((await store.mail.snapshot(at.ann.inbox)) === undefined)
            throw Object.assign(new Error(), { kind: "damaged" });
        },
        { kind: "damaged" },
        change,
      );
      assert.equal((await store.mail.append(deliveryOf(memoryBody(store, "new\r\n"), at.ann))).ok, false);
    }
  });

  it("of a body lets it outlive all its messages rather than one of them", async () => {
    await using at = await world();
    const { store, folder } = at.under;
    const bob = await addAccount(store, "bob");
    must(await store.mail.append(deliveryOf(memoryBody(store, "shared\r\n"), at.ann, bob)));
    rot(folder, "update body set refs = 1");
    must(await store.mail.expunge(at.ann.inbox, Uint32Array.of(1)));
    // As scrub mends it.
    rot(folder, "update body set refs = 1");
    assert.equal((await content(store, bob.inbox, 1 as Uid)).toString(), "shared\r\n");
  });

  it("of a body, such as whether dots are to be stuffed, lets nobody have the message", async () => {
    for (const change of ["dotted = 0", "octets = 3", "crc32 = 5", '"offset" = 65', "segment = null", "refs = 0"]) {
      await using at = await world();
      await deliver(at.under.store, at.ann, ".one\r\n.\r\n");
      rot(at.under.folder, `update body set ${change}`);
      await assert.rejects(at.under.store.mail.locate(at.ann.inbox, 1 as Uid), { kind: "damaged" }, change);
    }
  });

  it("of a removal carries out nothing, and nothing of its mailbox is listed", async () => {
    await using at = await world();
    const { store, folder } = at.under;
    const all = await deliverMany(store, at.ann, 2600);
    must(await store.mail.expunge(at.ann.inbox, Uint32Array.from(all.slice(1)), cause));
    rot(folder, "update removal set uids = x'0007'");
    await assert.rejects(uids(store, at.ann.inbox), { kind: "damaged" });
    must(await store.mail.append(deliveryOf(memoryBody(store, "new\r\n"), at.ann)));
    assert.equal(await store.upkeep.state(), "ok");
  });

  it("of a segment, or of where a body lies, destroys no octets: not in reclaim, not at a start", async () => {
    const whole = async (change: string, reclaims: boolean) => {
      await using under = await openInThread();
      const ann = await addAccount(under.store, "ann");
      await deliver(under.store, ann, "first\r\n");
      await deliver(under.store, ann, `second ${"x".repeat(999)}\r\n`);
      must(await under.store.mail.expunge(ann.inbox, Uint32Array.of(2)));
      await under.reopen();
      rot(under.folder, change);
      if (reclaims) while ((await under.store.upkeep.reclaim(1e15)).more);
      await under.reopen();
      if (reclaims) while ((await under.store.upkeep.reclaim(1e15)).more);
      return fs.existsSync(path.join(under.folder, "bodies/segments/00000001"));
    };
    for (const change of [
      "update segment set live = 0 where id = 1",
      "update segment set live = 64 where id = 1",
      "update segment set live = 0, sealed = 0 where id = 1",
      "update segment set id = 5 where id = 1",
      "update body set segment = 3",
      "update body set id = 9",
      "update body set octets = 3",
    ])
      assert.equal(await whole(change, true), true, change);
    assert.equal(await whole("update segment set id = id", true), false, "and what is right is given back");
  });

  it("of a body's row keeps its file of its own at a start, while messages name it", async () => {
    await using under = await openInThread();
    const ann = await addAccount(under.store, "ann");
    const spool = await under.store.bodies.spool();
    await spool.write(Buffer.from("large\r\n"));
    must(await under.store.mail.append(deliveryOf(await spool.finish(Buffer.from("Head: 1\r\n")), ann)));
    for (const change of ["id = 77", "id = 1, segment = 4"]) {
      rot(under.folder, `update body set ${change}`);
      await under.reopen();
      assert.equal(fs.existsSync(path.join(under.folder, "bodies/files/01/1")), true, change);
    }
    rot(under.folder, "delete from message");
    await under.reopen();
    assert.equal(fs.existsSync(path.join(under.folder, "bodies/files/01/1")), false, "what nobody names goes");
  });
});
