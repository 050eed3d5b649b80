import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Account } from "../../src/model/account.ts";
import { NO_ACTOR } from "../../src/model/history.ts";
import type { Uid } from "../../src/model/ids.ts";
import type { RemovedFilter, Store } from "../../src/store/ports.ts";
import { openInThread } from "./store-adapters.ts";
import { addAccount, content, deliverMany, must, uids } from "./store-world.ts";

const MESSAGES = 6300;
const DEVICES = ["phone", "laptop", ""] as const;

/** A store in which three devices removed every third message of one maildrop each, the last first. */
async function removedByThree() {
  const under = await openInThread();
  const ann = await addAccount(under.store, "ann");
  await deliverMany(under.store, ann, MESSAGES);
  const all = await uids(under.store, ann.inbox);
  for (const [index, device] of DEVICES.entries()) {
    const which = all.filter((uid) => (all.length - uid) % DEVICES.length === index);
    for (const half of [which.slice(which.length / 2), which.slice(0, which.length / 2)])
      must(await under.store.mail.expunge(ann.inbox, Uint32Array.from(half), { ...by, device }));
  }
  assert.deepEqual(await uids(under.store, ann.inbox), []);
  return { under, ann };
}
const by = { kind: "removed", keep: true, session: "s", peer: "" } as const;

async function restoreAll(store: Store, { inbox }: Account, filter: RemovedFilter, between = () => Promise.resolve()) {
  const steps: number[] = [];
  for (let more = true; more;) {
    const step = must(await store.mail.restore(inbox, filter, NO_ACTOR));
    steps.push(step.restored);
    more = step.more;
    await between();
  }
  return steps.reduce((sum, restored) => sum + restored, 0);
}

/** Which of the delivered texts came back, in their new order. */
async function textsOf(store: Store, { inbox }: Account): Promise<number[]> {
  const texts: number[] = [];
  for (const uid of await uids(store, inbox))
    texts.push(Number((await content(store, inbox, uid as Uid)).toString().slice("message ".length)) % 300);
  return texts;
}

describe("undelete of a large maildrop", () => {
  it("brings all back in the order in which they came, whoever removed them and when", async () => {
    const { under, ann } = await removedByThree();
    await using _ = under;
    assert.equal(await restoreAll(under.store, ann, {}), MESSAGES);
    assert.deepEqual(
      await textsOf(under.store, ann),
      Array.from({ length: MESSAGES }, (__, index) => index % 300),
    );
    await under.assertConsistent();
    assert.equal(await restoreAll(under.store, ann, {}), 0);
  });

  it("P2: loses none that is removed, restored or erased by others between its steps", async () => {
    const { under, ann } = await removedByThree();
    await using _ = under;
    let turn = 0;
    const between = async () => {
      turn += 1;
      const here = await uids(under.store, ann.inbox);
      // Removed again, by a device and by another restore's owner; and some for good.
      if (turn % 5 === 0 && turn < 40) {
        const which = Uint32Array.from(here.slice(0, 40));
        must(await under.store.mail.expunge(ann.inbox, which, { ...by, device: "phone" }));
      }
      if (turn % 7 === 0) must(await under.store.mail.restore(ann.inbox, { device: "laptop" }, NO_ACTOR));
      await under.assertConsistent();
    };
    await restoreAll(under.store, ann, {}, between);
    await restoreAll(under.store, ann, {});
    assert.equal((await uids(under.store, ann.inbox)).length, MESSAGES);
    assert.deepEqual((await under.store.mail.snapshot(ann.inbox))?.removed, { messages: 0, octets: 0 });
    await under.assertConsistent();
  });

  it("finds the few that are asked for among many, and ends", async () => {
    const { under, ann } = await removedByThree();
    await using _ = under;
    assert.equal(await restoreAll(under.store, ann, { uid: 6299 as Uid }), 1);
    assert.equal(await restoreAll(under.store, ann, { device: "laptop", uid: 18 as Uid }), 0);
    assert.equal(await restoreAll(under.store, ann, { device: "nobody" }), 0);
    const [last] = await under.store.mail.removedMessages(ann.inbox, { limit: 1 });
    const since = last?.at ?? 0;
    const found = (await under.store.mail.removedMessages(ann.inbox, { since, limit: 9999 })).length;
    assert.equal(await restoreAll(under.store, ann, { since }), found);
    await under.assertConsistent();
  });

  it("goes on after a restart where it was", async () => {
    const { under, ann } = await removedByThree();
    await using _ = under;
    for (let count = 0; count < 12; count += 1) must(await under.store.mail.restore(ann.inbox, {}, NO_ACTOR));
    await under.reopen();
    const before = (await uids(under.store, ann.inbox)).length;
    assert.ok(before > 0 && before < MESSAGES);
    assert.equal(await restoreAll(under.store, ann, {}), MESSAGES - before);
    assert.deepEqual(
      await textsOf(under.store, ann),
      Array.from({ length: MESSAGES }, (__, index) => index % 300),
    );
  });
});
