import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Account } from "../../src/model/account.ts";
import type { Actor } from "../../src/model/history.ts";
import { NO_ACTOR } from "../../src/model/history.ts";
import type { MailboxId, Uid } from "../../src/model/ids.ts";
import type { RemovalCause, RemovedFilter, RemovedMessage, Store } from "../../src/store/ports.ts";
import type { StoreUnderTest } from "./store-world.ts";
import {
  addAccount,
  addAccounts,
  content,
  deliver,
  deliverMany,
  deliveryOf,
  eventually,
  memoryBody,
  must,
  uidls,
  uids,
} from "./store-world.ts";

const PHONE: Actor = { session: "s-phone", device: "phone", peer: "192.0.2.7" };
const LAPTOP: Actor = { session: "s-laptop", device: "", peer: "2001:db8::7" };

/** A removal by a device whose messages undelete may bring back. */
export function by(actor: Actor, keep = true): RemovalCause {
  return { ...actor, kind: "removed", keep };
}

/** Restores until nothing more is found; gives how many came back. */
export async function restoreAll(store: Store, mailbox: MailboxId, filter: RemovedFilter = {}): Promise<number> {
  let restored = 0;
  for (let more = true; more;) {
    const done = must(await store.mail.restore(mailbox, filter, NO_ACTOR));
    restored += done.restored;
    more = done.more;
  }
  return restored;
}

/** Removes messages of an INBOX and gives how many were there. */
export async function remove(store: Store, account: Account, which: readonly number[], cause?: RemovalCause) {
  return must(await store.mail.expunge(account.inbox, Uint32Array.from(which), cause)).removed;
}

async function allRemoved(store: Store, mailbox: MailboxId, limit: number): Promise<RemovedMessage[]> {
  const all: RemovedMessage[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await store.mail.removedMessages(mailbox, { limit, ...(last === undefined ? {} : { after: last }) });
    all.push(...page);
    if (page.length < limit) return all;
  }
}

/** What every store holds about what undelete may bring back. */
export function undeleteContract(open: () => Promise<StoreUnderTest>): void {
  describe("undelete", () => {
    it("keeps what a device removed outside every listing and quota, and tells of it", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliverMany(store, ann, 3);
      const names = await uidls(store, ann.inbox);
      const before = Date.now();
      assert.equal(await remove(store, ann, [1, 3, 77], by(PHONE)), 2);
      assert.deepEqual(await uids(store, ann.inbox), [2]);
      assert.equal(await store.mail.locate(ann.inbox, 1 as Uid), undefined);
      assert.deepEqual(await store.mail.usage(ann.id), { messages: 1, octets: 11 });
      const snapshot = await under.another().mail.snapshot(ann.inbox);
      assert.deepEqual(snapshot?.removed, { messages: 2, octets: 22 });
      assert.deepEqual(await store.upkeep.removedUsage(), { messages: 2, octets: 22 });
      const [newest, other, ...more] = await under.another().mail.removedMessages(ann.inbox, { limit: 9 });
      assert.ok(newest && other && more.length === 0);
      const { at, ...told } = newest;
      assert.ok(at >= before && at === other.at);
      const { session, device } = PHONE;
      assert.deepEqual(told, { uid: 3, octets: 11, uidl: names[2], received: 1_700_000_000_000, session, device });
      assert.deepEqual([other.uid, other.uidl], [1, names[0]]);
      await under.assertConsistent();
    });

    it("keeps nothing where it was not asked to", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliverMany(store, ann, 3);
      assert.equal(await remove(store, ann, [1], by(PHONE, false)), 1);
      assert.equal(await remove(store, ann, [2]), 1);
      assert.deepEqual(await store.mail.removedMessages(ann.inbox, { limit: 9 }), []);
      assert.deepEqual((await store.mail.snapshot(ann.inbox))?.removed, { messages: 0, octets: 0 });
      assert.deepEqual(must(await store.mail.restore(ann.inbox, {}, NO_ACTOR)), { restored: 0, more: false });
      await under.assertConsistent();
    });

    it("P3: brings them back octet for octet, in the order in which they came, under new uids and UIDLs", async () => {
      await using under = await open();
      const ann = await addAccount(under.store, "ann");
      await deliverMany(under.store, ann, 4);
      const imported = { ...deliveryOf(memoryBody(under.store, "imported\r\n"), ann) };
      const recipients = imported.recipients.map((recipient) => ({ ...recipient, uidl: "its-old-name" }));
      must(await under.store.mail.append({ ...imported, octetsDowngraded: 8, recipients }));
      const before = await uidls(under.store, ann.inbox);
      assert.equal(await remove(under.store, ann, [5, 3], by(PHONE)), 2);
      assert.equal(await remove(under.store, ann, [1], by(LAPTOP)), 1);
      await under.reopen();
      const { store } = under;
      assert.deepEqual(must(await store.mail.restore(ann.inbox, {}, NO_ACTOR)), { restored: 3, more: false });
      assert.deepEqual(await uids(store, ann.inbox), [2, 4, 6, 7, 8]);
      const texts = ["message 0\r\n", "message 2\r\n", "imported\r\n"];
      for (const [index, text] of texts.entries())
        assert.equal((await content(under.another(), ann.inbox, (6 + index) as Uid)).toString(), text);
      const after = await uidls(store, ann.inbox);
      assert.equal(new Set([...before, ...after]).size, 8, "no name is used again, an imported one neither");
      const located = await store.mail.locate(ann.inbox, 8 as Uid);
      assert.deepEqual([located?.received, located?.octetsDowngraded], [1_700_000_000_000, 8]);
      assert.deepEqual(await store.mail.snapshot(ann.inbox), {
        account: ann.id,
        messages: 5,
        octets: 54,
        octetsDowngraded: 52,
        highestUid: 8,
        enabled: true,
        removed: { messages: 0, octets: 0 },
      });
      assert.deepEqual(await store.mail.removedMessages(ann.inbox, { limit: 9 }), []);
      await under.assertConsistent();
      assert.equal(await remove(store, ann, [6, 7, 8], by(PHONE)), 3);
      assert.equal(await restoreAll(store, ann.inbox), 3);
      assert.equal((await content(store, ann.inbox, 11 as Uid)).toString(), "imported\r\n");
    });

    it("brings back just what was asked for: by device, time and message", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      await deliverMany(store, ann, 6);
      await deliver(store, bob, "bob's\r\n");
      await remove(store, ann, [1, 2], by(PHONE));
      await remove(store, ann, [3], by(LAPTOP));
      await remove(store, bob, [1], by(PHONE));
      const [last] = await store.mail.removedMessages(ann.inbox, { limit: 1 });
      // The clock of a store may stand still for a moment; what follows has to be later.
      await eventually(() => Date.now() > (last?.at ?? 0), "time goes on");
      await remove(store, ann, [4, 5], by(PHONE));
      const found = async (filter: RemovedFilter) =>
        (await store.mail.removedMessages(ann.inbox, { ...filter, limit: 9 })).map(({ uid }) => uid);
      const since = (last?.at ?? 0) + 1;
      assert.deepEqual(new Set(await found({})), new Set([1, 2, 3, 4, 5]));
      assert.deepEqual(await found({ since }), [5, 4]);
      assert.deepEqual(await found({ device: "phone" }), [5, 4, 2, 1]);
      assert.deepEqual(await found({ device: "" }), [3]);
      assert.deepEqual(await found({ device: "phone", uid: 2 as Uid }), [2]);
      assert.deepEqual(await found({ device: "phone", uid: 3 as Uid }), []);
      assert.equal(await restoreAll(store, ann.inbox, { device: "tablet" }), 0);
      assert.equal(await restoreAll(store, ann.inbox, { uid: 2 as Uid }), 1);
      assert.equal(await restoreAll(store, ann.inbox, { device: "phone", since }), 2);
      assert.deepEqual(new Set(await found({})), new Set([1, 3]));
      assert.deepEqual(await uids(store, ann.inbox), [6, 7, 8, 9]);
      assert.deepEqual(await uids(store, bob.inbox), []);
      const gone = await store.mail.restore(999 as MailboxId, {}, NO_ACTOR);
      assert.deepEqual(gone, { ok: false, error: "no-mailbox" });
      await under.assertConsistent();
    });

    it("pages through them, the newest removal first", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliverMany(store, ann, 9);
      for (const which of [[7, 1], [5, 6, 2], [9]]) await remove(store, ann, which, by(PHONE));
      const all = await allRemoved(store, ann.inbox, 2);
      assert.equal(all.length, 6);
      const order = all.toSorted((one, other) => other.at - one.at || other.uid - one.uid);
      assert.deepEqual(all, order);
      assert.deepEqual(await allRemoved(under.another(), ann.inbox, 4), all);
    });

    it("brings back whatever the quota says, and as much as there is by steps", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      const quota = { octets: 10_000_000, messages: 1 };
      await deliverMany(store, ann, 700);
      await remove(store, ann, await uids(store, ann.inbox), by(PHONE));
      const tight = async () => {
        const recipients = [{ account: ann.id, mailbox: ann.inbox, quota }];
        return must(await store.mail.append({ ...deliveryOf(memoryBody(store, "in\r\n")), recipients }))[0]?.ok;
      };
      assert.equal(await tight(), true, "what is removed counts towards no quota");
      const first = must(await store.mail.restore(ann.inbox, {}, NO_ACTOR));
      assert.ok(first.more && first.restored < 700);
      assert.equal(first.restored + (await restoreAll(store, ann.inbox)), 700);
      assert.equal(await tight(), false);
      assert.equal((await content(store, ann.inbox, 702 as Uid)).toString(), "message 0\r\n");
      assert.equal((await content(store, ann.inbox, 1401 as Uid)).toString(), "message 699\r\n");
      await under.assertConsistent();
    });

    it("P2: finds a large removal at once, also what of it waits to be carried out, and after a restart", async () => {
      await using under = await open();
      const ann = await addAccount(under.store, "ann");
      await deliverMany(under.store, ann, 2300);
      await deliver(under.store, ann, "stays\r\n");
      const many = Array.from({ length: 2300 }, (_, index) => index + 1);
      const [removed, restored] = await Promise.all([
        remove(under.store, ann, [...many, 5000], by(PHONE)),
        under.store.mail.restore(ann.inbox, { device: "phone" }, NO_ACTOR),
      ]);
      assert.equal(removed, 2300);
      const { messages, octets } = (await under.store.mail.snapshot(ann.inbox)) ?? {};
      assert.deepEqual({ messages, octets }, { messages: 1, octets: 7 });
      assert.equal(must(restored).more, true);
      await under.assertConsistent();
      await under.reopen();
      const { store } = under;
      assert.deepEqual(await uids(store, ann.inbox), [2301]);
      assert.equal((await store.mail.snapshot(ann.inbox))?.removed.messages, 2300);
      assert.equal(await restoreAll(store, ann.inbox), 2300);
      assert.equal((await uids(store, ann.inbox)).length, 2301);
      assert.equal((await content(store, ann.inbox, 2302 as Uid)).toString(), "message 0\r\n");
      assert.equal((await store.mail.snapshot(ann.inbox))?.removed.messages, 0);
      await under.assertConsistent();
    });

    it("shares bodies with other maildrops, and keeps them through reclaim", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      must(await store.mail.append(deliveryOf(memoryBody(store, "shared\r\n"), ann, bob)));
      await deliver(store, ann, "goes\r\n");
      await remove(store, ann, [1], by(PHONE));
      await remove(store, ann, [2]);
      await remove(store, bob, [1]);
      while ((await store.upkeep.reclaim(1e15)).more);
      await under.assertConsistent();
      assert.equal(await restoreAll(store, ann.inbox), 1);
      assert.equal((await content(store, ann.inbox, 3 as Uid)).toString(), "shared\r\n");
    });

    it("removes with an account what was kept of it", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      must(await store.mail.append(deliveryOf(memoryBody(store, "shared\r\n"), ann, bob)));
      await deliverMany(store, ann, 2600);
      await remove(
        store,
        ann,
        Array.from({ length: 2500 }, (_, index) => index + 1),
        by(PHONE),
      );
      await remove(store, bob, [1], by(LAPTOP));
      const removed = await store.directory.removeAccount(ann.address);
      assert.deepEqual(removed, { ok: true, value: { messages: 101 } });
      assert.deepEqual(await store.mail.removedMessages(ann.inbox, { limit: 9 }), []);
      assert.deepEqual(await store.upkeep.removedUsage(), { messages: 1, octets: 8 });
      assert.deepEqual(await store.history.entries({ mailbox: ann.inbox, limit: 9, mostUids: 9 }), []);
      assert.equal(must(await store.upkeep.erase(0)).messages, 0);
      await under.assertConsistent();
      await under.reopen();
      await under.assertConsistent();
      const erased = must(await under.store.upkeep.erase(1e15));
      assert.ok(erased.messages >= 1);
      await under.assertConsistent();
    });
  });
}
