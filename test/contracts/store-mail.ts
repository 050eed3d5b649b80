import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Account } from "../../src/model/account.ts";
import type { Uid } from "../../src/model/ids.ts";
import type { Store } from "../../src/store/ports.ts";
import type { StoreUnderTest } from "./store-world.ts";
import {
  addAccount,
  addAccounts,
  content,
  deliver,
  deliverMany,
  deliveryOf,
  memoryBody,
  must,
  place,
  uidls,
  uids,
} from "./store-world.ts";

/** What every store holds about messages. */
export function mailContract(open: () => Promise<StoreUnderTest>): void {
  const to = ({ id, inbox }: Account, more: object = {}) => ({ account: id, mailbox: inbox, quota: null, ...more });
  const remove = async (store: Store, account: Account, ...which: number[]) =>
    must(await store.mail.expunge(account.inbox, Uint32Array.from(which))).removed;

  describe("mail", () => {
    it("P1: what append acknowledged is there, octet for octet, also after a restart", async () => {
      await using under = await open();
      const ann = await addAccount(under.store, "ann");
      const texts = ["a\r\n", ".\r\n..\r\n", "\u0000\u00ff\r\n".repeat(3000), "x".repeat(1024 * 1024 - 100)];
      const got: Uid[] = [];
      for (const text of texts) got.push(await deliver(under.store, ann, Buffer.from(text, "latin1")));
      assert.deepEqual(got, [1, 2, 3, 4]);
      await under.reopen();
      for (const [index, text] of texts.entries()) {
        const body = await content(under.store, ann.inbox, got[index]!);
        assert.equal(body.toString("latin1"), text);
      }
      assert.equal((await place(under.store, ann.inbox, got[0]!)).dotted, false);
      assert.equal((await place(under.store, ann.inbox, got[1]!)).dotted, true);
    });

    it("stores one body for all recipients, and tells each its own outcome", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob, cy] = await addAccounts(store, "ann", "bob", "cy");
      assert.ok(ann && bob && cy);
      const body = memoryBody(store, "to all\r\n");
      const appended = await store.mail.append({
        ...deliveryOf(body),
        octetsDowngraded: 6,
        recipients: [
          to(ann),
          { ...to(bob), mailbox: 999 as never },
          to(bob, { quota: { octets: 8, messages: 1 } }),
          to(bob, { quota: { octets: 100, messages: 1 } }),
          { ...to(cy), mailbox: ann.inbox },
          { ...to(cy), mailbox: cy.junk },
        ],
      });
      assert.deepEqual(must(appended), [
        { ok: true, value: 1 },
        { ok: false, error: "no-mailbox" },
        { ok: true, value: 1 },
        { ok: false, error: "over-quota" },
        { ok: false, error: "no-mailbox" },
        { ok: true, value: 1 },
      ]);
      const places = await Promise.all(
        [ann.inbox, bob.inbox, cy.junk].map((mailbox) => place(store, mailbox, 1 as Uid)),
      );
      assert.equal(new Set(places.map((where) => where.body)).size, 1);
      assert.deepEqual(await store.mail.snapshot(ann.inbox), {
        account: ann.id,
        messages: 1,
        octets: 8,
        octetsDowngraded: 6,
        highestUid: 1,
        enabled: true,
        removed: { messages: 0, octets: 0 },
      });
    });

    it("counts INBOX and Junk together against a quota, in octets and in messages", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliver(store, ann, "12345678\r\n");
      const junk = { ...to(ann), mailbox: ann.junk };
      const deliverWithin = async (quota: { octets: number; messages: number }) => {
        const recipients = [{ ...junk, quota }];
        const outcomes = must(await store.mail.append({ ...deliveryOf(memoryBody(store, "1234\r\n")), recipients }));
        return outcomes[0]?.ok;
      };
      assert.equal(await deliverWithin({ octets: 15, messages: 9 }), false);
      assert.equal(await deliverWithin({ octets: 100, messages: 1 }), false);
      assert.equal(await deliverWithin({ octets: 16, messages: 2 }), true);
      assert.deepEqual(await store.mail.usage(ann.id), { messages: 2, octets: 16 });
      // What nobody could take leaves nothing behind.
      assert.deepEqual(await uids(store, ann.junk), [1]);
    });

    it("keeps the store whole when no recipient takes a message", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      const refused = must(await store.mail.append({ ...deliveryOf(memoryBody(store, "nobody\r\n")), recipients: [] }));
      assert.deepEqual(refused, []);
      await deliver(store, ann, "somebody\r\n");
      assert.equal((await content(store, ann.inbox, 1 as Uid)).toString(), "somebody\r\n");
    });

    it("lists by pages, up to a uid, with names that override", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliverMany(store, ann, 5);
      const imported = deliveryOf(memoryBody(store, "old\r\n"));
      must(await store.mail.append({ ...imported, recipients: [to(ann, { uidl: "00ff-old" })] }));
      const page = await store.mail.listPage(ann.inbox, 1, 4, 2);
      assert.deepEqual([...page.uids], [2, 3]);
      assert.equal(page.messages, 2);
      assert.deepEqual([...page.octets], [11, 11]);
      assert.deepEqual([...(await store.mail.listPage(ann.inbox, 3, 4, 2)).uids], [4]);
      assert.equal((await store.mail.listPage(ann.inbox, 4, 4, 2)).messages, 0);
      const names = await uidls(store, ann.inbox, 2);
      assert.equal(new Set(names).size, 6);
      assert.equal(names[5], "00ff-old");
      assert.deepEqual(await uidls(under.another(), ann.inbox), names);
    });

    it("lists and locates with the octets that a client without UTF8 is sent", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliver(store, ann, "plain\r\n");
      must(await store.mail.append({ ...deliveryOf(memoryBody(store, "h\u00e9\r\n"), ann), octetsDowngraded: 44 }));
      const listed = async (as?: "stored" | "downgraded") => [
        ...(await store.mail.listPage(ann.inbox, 0, 9, 9, as)).octets,
      ];
      assert.deepEqual(
        [await listed(), await listed("stored"), await listed("downgraded")],
        [
          [7, 5],
          [7, 5],
          [7, 44],
        ],
      );
      const located = await store.mail.locateFrom(ann.inbox, 1 as Uid, 2);
      assert.deepEqual(
        located.map((message) => [message.place.octets, message.octetsDowngraded]),
        [
          [7, 7],
          [5, 44],
        ],
      );
      const snapshot = await store.mail.snapshot(ann.inbox);
      assert.deepEqual([snapshot?.octets, snapshot?.octetsDowngraded], [12, 51]);
    });

    it("finds what came before a time, the lowest uids first, without what is removed", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      for (const received of [500, 100, 200, 100, 300])
        must(await store.mail.append({ ...deliveryOf(memoryBody(store, "x\r\n"), ann), received }));
      const before = async (time: number, limit = 9) => [...(await store.mail.receivedBefore(ann.inbox, time, limit))];
      assert.deepEqual(await before(100), []);
      assert.deepEqual(await before(301), [2, 3, 4, 5]);
      assert.deepEqual(await before(301, 2), [2, 3]);
      assert.equal(await remove(store, ann, 3), 1);
      assert.deepEqual(await before(9999), [1, 2, 4, 5]);
      assert.deepEqual([...(await store.mail.receivedBefore(999 as never, 9999, 9))], []);
      // What waits to be removed is gone for everybody.
      await deliverMany(store, ann, 2300);
      await remove(store, ann, ...Array.from({ length: 2300 }, (_, index) => index + 6));
      assert.deepEqual(await before(1e15), [1, 2, 4, 5]);
    });

    it("P2: never removes what comes later for a uid that was named too early", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliverMany(store, ann, 2200);
      const named = Array.from({ length: 2300 }, (_, index) => index + 1);
      const [removed] = await Promise.all([remove(store, ann, ...named), deliver(store, ann, "later\r\n")]);
      assert.equal(removed, 2200);
      assert.deepEqual(await uids(store, ann.inbox), [2201]);
      await under.reopen();
      assert.deepEqual(await uids(under.store, ann.inbox), [2201]);
    });

    it("removes what is there and counts nothing else", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      must(await store.mail.append(deliveryOf(memoryBody(store, "shared\r\n"), ann, bob)));
      await deliverMany(store, ann, 3);
      assert.equal(await remove(store, ann, 1, 3, 77), 2);
      assert.equal(await remove(store, ann, 1, 3), 0);
      assert.deepEqual(await uids(store, ann.inbox), [2, 4]);
      assert.equal(await store.mail.locate(ann.inbox, 1 as Uid), undefined);
      assert.equal((await store.mail.snapshot(ann.inbox))?.octets, 22);
      // The body lives on in the other maildrop.
      assert.equal((await content(store, bob.inbox, 1 as Uid)).toString(), "shared\r\n");
      assert.equal(await remove(store, bob, 1), 1);
      assert.deepEqual(await store.mail.usage(bob.id), { messages: 0, octets: 0 });
      assert.equal(await remove(store, { ...ann, inbox: 999 as never }, 1), 0);
    });

    it("locates a message with those behind it, as many as are wanted", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      await deliverMany(store, ann, 5);
      await deliverMany(store, bob, 1);
      assert.equal(await remove(store, ann, 3), 1);
      const from = async (uid: number, limit: number) =>
        (await store.mail.locateFrom(ann.inbox, uid as Uid, limit)).map((message) => message.uid);
      assert.deepEqual(await from(1, 3), [1, 2, 4]);
      assert.deepEqual(await from(4, 9), [4, 5]);
      assert.deepEqual(await from(3, 9), [], "it is not there, whatever is behind it");
      assert.deepEqual(await from(6, 9), []);
      const [first, second] = await store.mail.locateFrom(ann.inbox, 1 as Uid, 2);
      assert.deepEqual(first, await store.mail.locate(ann.inbox, 1 as Uid));
      assert.deepEqual(second, await store.mail.locate(ann.inbox, 2 as Uid));
    });

    it("P3: never uses a uid again, also when a maildrop was emptied and the store restarted", async () => {
      await using under = await open();
      const ann = await addAccount(under.store, "ann");
      await deliverMany(under.store, ann, 3);
      assert.equal(await remove(under.store, ann, 1, 2, 3), 3);
      await under.reopen();
      assert.equal((await under.store.mail.snapshot(ann.inbox))?.highestUid, 3);
      assert.equal(await deliver(under.store, ann, "next\r\n"), 4);
    });

    it("P2: removes more than 2,000 in one step, whatever has been carried out of it", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliverMany(store, ann, 4300);
      const odd = Array.from({ length: 2150 }, (_, index) => index * 2 + 1);
      assert.equal(await remove(store, ann, ...odd), 2150);
      const snapshot = await store.mail.snapshot(ann.inbox);
      assert.equal(snapshot?.messages, 2150);
      assert.equal(await store.mail.locate(ann.inbox, 4299 as Uid), undefined);
      assert.ok(await store.mail.locate(ann.inbox, 4300 as Uid));
      const even = (await store.mail.locateFrom(ann.inbox, 4000 as Uid, 6)).map((message) => message.uid);
      assert.deepEqual(
        even,
        even.toSorted((a, b) => a - b),
      );
      assert.ok(even[0] === 4000 && even.every((uid) => uid % 2 === 0), "what waits to be removed is not told");
      assert.equal((await store.mail.listPage(ann.inbox, 0, 4300, 3000)).messages, 2150);
      assert.deepEqual([...(await store.mail.listPage(ann.inbox, 4000, 4300, 3)).uids], [4002, 4004, 4006]);
      // Again, with some that are gone, all at once with new mail coming in.
      const [removed, uid] = await Promise.all([remove(store, ann, ...odd, 2, 4), deliver(store, ann, "new\r\n")]);
      assert.equal(removed, 2);
      assert.equal(uid, 4301);
      assert.equal((await store.mail.snapshot(ann.inbox))?.messages, 2149);
      await under.reopen();
      assert.equal((await under.store.mail.snapshot(ann.inbox))?.messages, 2149);
      const left = await uids(under.store, ann.inbox);
      assert.equal(left.length, 2149);
      assert.ok(left.every((each) => each % 2 === 0 || each === 4301));
      assert.equal((await content(under.store, ann.inbox, 4300 as Uid)).toString(), "message 4299\r\n");
      assert.equal(await remove(under.store, ann, ...left), 2149);
      assert.deepEqual(await under.store.mail.usage(ann.id), { messages: 0, octets: 0 });
      assert.deepEqual(await uids(under.store, ann.inbox), []);
    });
  });
}
