import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MailboxId } from "../../src/model/ids.ts";
import type { Store } from "../../src/store/ports.ts";
import type { Seen } from "../../src/store/removal-ports.ts";
import { goneOf } from "../../src/store/removal-ports.ts";
import { UidPacker } from "../../src/store/uid-packer.ts";
import { Random } from "../e2e/harness/random.ts";
import { openInThread } from "./store-adapters.ts";
import { addAccount, deliverMany, must, uids } from "./store-world.ts";
import { delivery, writerWorld } from "./writer-world.ts";

const cause = { kind: "removed", keep: true, session: "s", device: "", peer: "" } as const;

/** What a session hands over that has seen these messages. */
async function seenBy(store: Store, mailbox: MailboxId, which: Uint32Array): Promise<Seen> {
  const snapshot = await store.mail.snapshot(mailbox);
  assert.ok(snapshot);
  const found = await store.mail.inspect(mailbox, 0, snapshot.highestUid, 1_000_000);
  const seen = { messages: 0, octets: 0, octetsDowngraded: 0, gone: goneOf(snapshot) };
  const packer = new UidPacker();
  const wanted = new Set(which);
  for (const [index, uid] of found.uids.entries()) {
    if (!wanted.has(uid)) continue;
    packer.add(uid);
    seen.messages += 1;
    seen.octets += found.octets[index] ?? 0;
    seen.octetsDowngraded += found.octetsDowngraded[index] ?? 0;
  }
  return { ...seen, packed: packer.finish() };
}

function packed(which: Uint32Array) {
  const packer = new UidPacker();
  for (const uid of which) packer.add(uid);
  return packer.finish();
}

describe("many marks", () => {
  it("P2: the counters stay exact, whatever was seen before and came or went since", async () => {
    const random = new Random(5);
    const chance = (share: number) => random.fraction() < share;
    await using under = await openInThread();
    const { store } = under;
    const ann = await addAccount(store, "ann");
    await deliverMany(store, ann, 9000);
    const remove = async (which: Uint32Array, seen: Seen) =>
      must(await store.mail.expunge(ann.inbox, which, { ...cause, keep: chance(0.5) }, seen)).removed;
    for (let round = 0; round < 8; round += 1) {
      const before = await uids(store, ann.inbox);
      // All, all but some, or every other one: one range, some, or thousands.
      const share = [1, 0.999, 0.6][round % 3] ?? 1;
      const marked = before.slice(0, 3000).filter(() => chance(share));
      const strays = round % 4 === 3 ? [before[0]! - 1, 1_000_000] : [];
      const which = Uint32Array.from([...marked, ...strays.filter((uid) => uid > 0)]).toSorted();
      const seen = await seenBy(store, ann.inbox, which);
      await deliverMany(store, ann, 500);
      const lost = round % 2 === 1 ? marked.slice(0, round) : [];
      if (lost.length > 0) must(await store.mail.expunge(ann.inbox, Uint32Array.from(lost), cause));
      assert.equal(await remove(which, seen), marked.length - lost.length);
      await under.assertConsistent();
      assert.deepEqual(
        (await uids(store, ann.inbox)).slice(0, -500),
        before.filter((uid) => !marked.includes(uid)),
      );
      assert.equal((await store.mail.snapshot(ann.inbox))?.messages, before.length - marked.length + 500);
    }
  });

  it("P2: what goes into their history is what was removed", async () => {
    await using under = await openInThread();
    const { store } = under;
    const ann = await addAccount(store, "ann");
    await deliverMany(store, ann, 2500);
    const which = Uint32Array.from({ length: 2400 }, (_, index) => index + 101);
    await store.mail.expunge(ann.inbox, which, cause, await seenBy(store, ann.inbox, which));
    const again = Uint32Array.from({ length: 2500 }, (_, index) => index + 1);
    const seen = { messages: 2500, octets: 1, octetsDowngraded: 1, gone: 2400, packed: packed(again) };
    assert.equal(must(await store.mail.expunge(ann.inbox, again, cause, seen)).removed, 100);
    const entries = await store.history.entries({ mailbox: ann.inbox, limit: 9, mostUids: 9 });
    assert.deepEqual(
      entries.map(({ kind, messages, uids: [first] }) => [kind, messages, first]),
      [
        ["removed", 100, 1],
        ["removed", 2400, 101],
      ],
    );
    await under.assertConsistent();
  });

  it("P2: of every other message show nowhere from the commit on, and are carried out in any state of it", async () => {
    await using under = await openInThread();
    const ann = await addAccount(under.store, "ann");
    await deliverMany(under.store, ann, 18_000);
    const odd = Uint32Array.from({ length: 9000 }, (_, index) => index * 2 + 1);
    const even = Array.from(odd, (uid) => uid + 1);
    // Without a word of what was seen, as others than sessions remove.
    assert.equal(must(await under.store.mail.expunge(ann.inbox, odd, cause)).removed, 9000);
    assert.deepEqual(await uids(under.store, ann.inbox), even);
    await under.assertConsistent();
    assert.equal((await under.store.mail.listPage(ann.inbox, 0, 18_000, 100)).uids.at(-1), 200);
    await under.reopen();
    assert.deepEqual(await uids(under.store, ann.inbox), even);
    const gone = await under.store.mail.restore(ann.inbox, {}, { session: "", device: "", peer: "" });
    assert.equal(must(gone).more, true);
    await under.assertConsistent();
  });

  it("are not weighed by the writer when they were seen, and are when something went since", async () => {
    await using at = await writerWorld();
    await Promise.all(Array.from({ length: 4500 }, () => at.store.append(delivery("x"))));
    const asked: string[] = [];
    const first = at.sql.first.bind(at.sql) as (...given: readonly unknown[]) => Promise<unknown>;
    at.sql.first = (async (statement: { name: string }, parameters: unknown) => {
      asked.push(statement.name);
      return first(statement, parameters);
    }) as typeof at.sql.first;
    const remove = (from: number, gone: number) => {
      const which = Uint32Array.from({ length: 2100 }, (_, index) => from + index);
      const seen = { messages: 2100, octets: 2100, octetsDowngraded: 2100, gone, packed: packed(which) };
      return at.store.expunge(1 as MailboxId, which, cause, seen);
    };
    assert.deepEqual(await remove(1, 0), { ok: true, value: { removed: 2100 } });
    assert.equal(asked.includes("message.weigh"), false);
    assert.deepEqual(await remove(2101, 0), { ok: true, value: { removed: 2100 } });
    assert.equal(asked.includes("message.weigh"), true);
    const [left] = at.sql.query("select messages, octets from mailbox where id = 1");
    assert.deepEqual({ ...left }, { messages: 300, octets: 300 });
  });
});
