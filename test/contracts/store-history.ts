import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Actor, HistoryEntry, Transfer } from "../../src/model/history.ts";
import { NO_ACTOR } from "../../src/model/history.ts";
import type { Account } from "../../src/model/account.ts";
import type { MailboxId, Uid } from "../../src/model/ids.ts";
import type { Store } from "../../src/store/ports.ts";
import { by, remove, restoreAll } from "./store-undelete.ts";
import type { StoreUnderTest } from "./store-world.ts";
import { addAccount, addAccounts, deliverMany, must } from "./store-world.ts";

const PHONE: Actor = { session: "s1", device: "phone", peer: "192.0.2.7" };

/** What every store holds about the history of messages. */
export function historyContract(open: () => Promise<StoreUnderTest>): void {
  const transfer = (of: Account, uid: number, more: Partial<Transfer> = {}): Transfer => ({
    ...PHONE,
    account: of.id,
    mailbox: of.inbox,
    uid: uid as Uid,
    at: 1000 + uid,
    kind: "sent",
    octets: uid * 100,
    ...more,
  });
  const entriesOf = (store: Store, mailbox: MailboxId, uid?: number): Promise<readonly HistoryEntry[]> =>
    store.history.entries({ mailbox, limit: 99, mostUids: 5, ...(uid === undefined ? {} : { uid: uid as Uid }) });
  const told = (entries: readonly HistoryEntry[]) => entries.map(({ kind, uids }) => [kind, ...uids]);

  describe("history", () => {
    it("tells what each session fetched, whole or not, and how much of it", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      const cut = transfer(ann, 9, { kind: "cut", octets: 17 });
      must(await store.history.note([transfer(ann, 3), transfer(ann, 1), cut, transfer(bob, 1)]));
      must(await store.history.note([transfer(ann, 3, { at: 5000, session: "s2", device: "" })]));
      must(await store.history.note([]));
      const [again, ...first] = await entriesOf(under.another(), ann.inbox);
      const { id: _, ...said } = again ?? { id: 0 };
      const who = { session: "s2", device: "", peer: PHONE.peer };
      assert.deepEqual(said, { ...who, at: 5000, kind: "sent", uids: [3], messages: 1, newUids: [], octets: 300 });
      assert.deepEqual(told(first), [
        ["cut", 9],
        ["sent", 1, 3],
      ]);
      assert.deepEqual(
        first.map(({ at, octets, peer }) => [at, octets, peer]),
        [
          [1009, 17, PHONE.peer],
          [1003, 400, PHONE.peer],
        ],
      );
      assert.deepEqual(told(await entriesOf(store, bob.inbox)), [["sent", 1]]);
    });

    it("loses no transfer of a message that was fetched twice", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      const twice = [transfer(ann, 1), transfer(ann, 2), transfer(ann, 1, { at: 2000, octets: 5 }), transfer(ann, 3)];
      must(await store.history.note(twice));
      const entries = await entriesOf(store, ann.inbox, 1);
      assert.deepEqual(
        entries.map(({ at, octets }) => [at > 1002, octets]),
        [
          [true, 5],
          [false, 100],
        ],
      );
      assert.deepEqual(told(await entriesOf(store, ann.inbox, 3)), [["sent", 3]]);
    });

    it("writes each removal with it, and what became of the messages", async () => {
      await using under = await open();
      const ann = await addAccount(under.store, "ann");
      await deliverMany(under.store, ann, 8);
      await remove(under.store, ann, [8, 2, 3, 4, 5, 6, 77], by(PHONE));
      await remove(under.store, ann, [7], { ...NO_ACTOR, kind: "expired", keep: false });
      await remove(under.store, ann, [1]);
      await remove(under.store, ann, [1, 2, 7], by(PHONE));
      await under.reopen();
      const { store } = under;
      assert.equal(await restoreAll(store, ann.inbox, { uid: 4 as Uid }), 1);
      assert.equal(await restoreAll(store, ann.inbox), 5);
      const [restored, one, expired, removed, ...more] = await entriesOf(store, ann.inbox);
      assert.deepEqual(more, [], "without a cause nothing is written, and of what is not there neither");
      assert.deepEqual(
        [restored?.kind, restored?.uids, restored?.newUids],
        ["restored", [2, 3, 5, 6, 8], [10, 11, 12, 13, 14]],
      );
      assert.deepEqual([one?.uids, one?.newUids, one?.messages], [[4], [9], 1]);
      assert.deepEqual([expired?.kind, expired?.uids, expired?.session], ["expired", [7], ""]);
      const { id: _, at, ...said } = removed ?? { id: 0, at: 0 };
      assert.ok(at > 1_700_000_000_000);
      assert.deepEqual(said, {
        ...PHONE,
        kind: "removed",
        uids: [2, 3, 4, 5, 6],
        messages: 6,
        newUids: [],
        octets: null,
      });
    });

    it("finds what one message went through, under its old uid and its new one", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliverMany(store, ann, 3);
      must(await store.history.note([transfer(ann, 1), transfer(ann, 2)]));
      await remove(store, ann, [1, 2, 3], by(PHONE));
      assert.equal(await restoreAll(store, ann.inbox), 3);
      must(await store.upkeep.erase(1e15));
      assert.deepEqual(told(await entriesOf(store, ann.inbox, 2)), [
        ["restored", 2],
        ["removed", 2],
        ["sent", 2],
      ]);
      assert.equal((await entriesOf(store, ann.inbox, 2))[2]?.octets, 200);
      const [restored, ...more] = await entriesOf(under.another(), ann.inbox, 5);
      assert.deepEqual([restored?.uids, restored?.newUids, restored?.messages, more], [[2], [5], 3, []]);
      assert.deepEqual(await entriesOf(store, ann.inbox, 99), []);
    });

    it("pages from the newest to the oldest, of all or of one message", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      const all = Array.from({ length: 2100 }, (_, index) => transfer(ann, 1 + (index % 3), { session: `${index}` }));
      must(await store.history.note(all));
      for (const uid of [undefined, 2 as Uid]) {
        const seen: string[] = [];
        for (let before: number | undefined; ;) {
          const asked = { ...(uid === undefined ? {} : { uid }), ...(before === undefined ? {} : { before }) };
          const page = await store.history.entries({ mailbox: ann.inbox, limit: 400, mostUids: 1, ...asked });
          seen.push(...page.map(({ session }) => session));
          before = page.at(-1)?.id;
          if (page.length < 400) break;
        }
        const wanted = all.filter((each) => uid === undefined || each.uid === uid).map(({ session }) => session);
        assert.deepEqual(seen, wanted.toReversed());
      }
    });

    it("skips mailboxes that are gone, and loses the history of an account with it", async () => {
      await using under = await open();
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      must(await store.history.note([transfer(ann, 1)]));
      must(await store.directory.removeAccount(ann.address));
      must(await store.history.note([transfer(ann, 2), transfer(bob, 2)]));
      assert.deepEqual(await entriesOf(store, ann.inbox), []);
      assert.deepEqual(told(await entriesOf(store, bob.inbox)), [["sent", 2]]);
    });
  });
}
