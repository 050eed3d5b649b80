import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_ACTOR } from "../../src/model/history.ts";
import type { Uid } from "../../src/model/ids.ts";
import { by, remove, restoreAll } from "./store-undelete.ts";
import type { StoreUnderTest } from "./store-world.ts";
import { addAccount, addAccounts, content, deliver, deliverMany, eventually, must, uids } from "./store-world.ts";

const FAR = 1e15;

/** What every store holds about erasing and forgetting. */
export function upkeepContract(open: () => Promise<StoreUnderTest>): void {
  const device = by({ session: "s", device: "phone", peer: "192.0.2.7" });

  describe("upkeep", () => {
    it("knows the time that was noted last, also after a restart, and also when it was set back", async () => {
      await using under = await open();
      assert.equal(await under.store.upkeep.lastTime(), undefined);
      for (const time of [5000.5, 3000]) {
        must(await under.store.upkeep.noteTime(time));
        await under.reopen();
        assert.equal(await under.store.upkeep.lastTime(), Math.round(time));
      }
      const ann = await addAccount(under.store, "ann");
      assert.equal(await deliver(under.store, ann, "ids are no times\r\n"), 1);
    });

    it("erases what was removed before a time, the oldest first, and writes it down", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      await deliverMany(store, ann, 4);
      await deliver(store, bob, "bob's\r\n");
      await remove(store, ann, [1, 2], device);
      await remove(store, bob, [1], device);
      const [last] = await store.mail.removedMessages(bob.inbox, { limit: 1 });
      const then = (last?.at ?? 0) + 1;
      await eventually(() => Date.now() > then, "time goes on");
      await remove(store, ann, [3], device);
      const erased = must(await store.upkeep.erase(then));
      assert.deepEqual(erased, { messages: 3, octets: 29, more: false });
      assert.deepEqual(must(await store.upkeep.erase(then)), { messages: 0, octets: 0, more: false });
      const left = await store.mail.removedMessages(ann.inbox, { limit: 9 });
      assert.deepEqual(
        left.map(({ uid }) => uid),
        [3],
      );
      assert.deepEqual(await store.upkeep.removedUsage(), { messages: 1, octets: 11 });
      assert.deepEqual((await store.mail.snapshot(bob.inbox))?.removed, { messages: 0, octets: 0 });
      const entries = await under.another().history.entries({ mailbox: ann.inbox, limit: 9, mostUids: 9 });
      assert.deepEqual(
        entries.map(({ kind, uids: which }) => [kind, which]),
        [
          ["erased", [1, 2]],
          ["removed", [3]],
          ["removed", [1, 2]],
        ],
      );
      const { session, device: name, peer } = entries[0] ?? device;
      assert.deepEqual({ session, device: name, peer }, NO_ACTOR);
      await under.assertConsistent();
      assert.equal(await restoreAll(store, ann.inbox), 1);
      assert.deepEqual(await uids(store, ann.inbox), [4, 5]);
    });

    it("erases many by slices, of several mailboxes each with an entry of its own", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      for (const account of [ann, bob]) {
        await deliverMany(store, account, 350);
        await remove(store, account, await uids(store, account.inbox), device);
      }
      let messages = 0;
      let slices = 0;
      for (let more = true; more; slices += 1) {
        const done = must(await store.upkeep.erase(FAR));
        messages += done.messages;
        more = done.more;
        await under.assertConsistent();
      }
      assert.ok(slices > 2 && messages === 700, `${messages} in ${slices}`);
      for (const { inbox } of [ann, bob]) {
        const entries = await store.history.entries({ mailbox: inbox, limit: 99, mostUids: 0 });
        const erased = entries.filter(({ kind }) => kind === "erased");
        assert.ok(erased.length > 1);
        assert.equal(
          erased.reduce((sum, entry) => sum + entry.messages, 0),
          350,
        );
      }
      assert.equal(await restoreAll(store, ann.inbox), 0);
    });

    it("gives the space of what was erased back", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      const spool = await store.bodies.spool();
      await spool.write(Buffer.from("a large one\r\n"));
      const body = await spool.finish(new Uint8Array(0));
      const recipients = [{ account: ann.id, mailbox: ann.inbox, quota: null }];
      must(await store.mail.append({ body, received: 1, octetsDowngraded: body.octets, recipients }));
      const located = await store.mail.locate(ann.inbox, 1 as Uid);
      assert.ok(located);
      await remove(store, ann, [1], device);
      const kept = store.bodies.open(located.place);
      assert.ok(kept);
      kept.close();
      must(await store.upkeep.erase(FAR));
      await eventually(() => store.bodies.open(located.place) === undefined, "the file is removed");
    });

    it("forgets history and places older than was asked, by slices, and nothing else", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliver(store, ann, "stays\r\n");
      const transfers = Array.from({ length: 700 }, (_, index) => ({
        ...NO_ACTOR,
        session: `s${index}`,
        account: ann.id,
        mailbox: ann.inbox,
        uid: 1 as Uid,
        at: 1000 + index,
        kind: "sent" as const,
        octets: 7,
      }));
      must(await store.history.note(transfers));
      must(
        await store.devices.noteKnownPlaces([
          { account: ann.id, place: "192.0.2.0/24", last: 5 },
          { account: ann.id, place: "198.51.100.0/24", last: 9 },
        ]),
      );
      let slices = 1;
      while (must(await store.upkeep.forget({ history: 1600, places: 9 })).more) slices += 1;
      assert.ok(slices > 2);
      const left = await store.history.entries({ mailbox: ann.inbox, limit: 999, mostUids: 1 });
      assert.deepEqual([left.length, left.at(-1)?.at], [100, 1600]);
      const places = await store.devices.knownPlaces({ since: 0, limit: 9 });
      assert.deepEqual(
        places.map(({ place }) => place),
        ["198.51.100.0/24"],
      );
      assert.equal((await content(store, ann.inbox, 1 as Uid)).toString(), "stays\r\n");
    });

    it("tells how much of the disk is free", async () => {
      await using under = await open();
      const { free, total } = await under.store.upkeep.space();
      assert.ok(free > 0 && free <= total, `${free} of ${total}`);
    });
  });
}
