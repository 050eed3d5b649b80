import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Account } from "../../src/model/account.ts";
import type { Uid } from "../../src/model/ids.ts";
import type { Store } from "../../src/store/ports.ts";
import { openInThread } from "./store-adapters.ts";
import { addAccount, content, deliver, deliverMany, must, place, uids } from "./store-world.ts";

const FAR = 1e15;

/** A store with a segment of short mail in which every third message lives. */
async function mostlyDead() {
  const under = await openInThread();
  const ann = await addAccount(under.store, "ann");
  await deliverMany(under.store, ann, 4500);
  for (const from of [1, 1501, 3001]) {
    const dead = Array.from({ length: 1500 }, (_, index) => from + index).filter((uid) => uid % 3 > 0);
    must(await under.store.mail.expunge(ann.inbox, Uint32Array.from(dead)));
  }
  return { under, ann };
}

/** All that lives is there, octet for octet. */
async function assertWhole(store: Store, { inbox }: Account): Promise<void> {
  const left = await uids(store, inbox);
  assert.equal(left.filter((uid) => uid <= 4500).length, 1500);
  for (const uid of left)
    if (uid <= 4500) {
      const text = (await content(store, inbox, uid as Uid)).toString();
      assert.equal(text, `message ${uid - 1}\r\n`);
    }
}

describe("reclaim of short mail", () => {
  it("copies it out by slices, between which all is whole and mail comes and goes", async () => {
    const { under, ann } = await mostlyDead();
    await using _ = under;
    const first = (await place(under.store, ann.inbox, 3 as Uid)).segment;
    const passes: (readonly [removed: number, moved: number])[] = [];
    for (let more = true; more;) {
      const done = await under.store.upkeep.reclaim(FAR);
      passes.push([done.segmentsRemoved, done.octetsMoved]);
      more = done.more;
      await under.assertConsistent();
      await deliver(under.store, ann, "comes meanwhile\r\n");
      if (passes.length === 2) await under.reopen();
    }
    await assertWhole(under.store, ann);
    const moved = passes.filter(([, octets]) => octets > 0);
    assert.ok(moved.length > 1 && moved.every(([, octets]) => octets <= 1000 * 100), JSON.stringify(passes));
    assert.notEqual((await place(under.store, ann.inbox, 3 as Uid)).segment, first);
    assert.ok(passes.some(([removed]) => removed > 0));
  });

  it("P8: keeps a segment whose last slice is not all that it counts", async () => {
    const { under, ann } = await mostlyDead();
    await using _ = under;
    await under.store.upkeep.reclaim(FAR);
    const segment = (await place(under.store, ann.inbox, 4500 as Uid)).segment;
    await under.reopen();
    const { DatabaseSync } = await import("node:sqlite");
    const sql = new DatabaseSync(`${under.folder}/mailkeep.db`);
    sql.prepare("update segment set live = live + 1 where id = ?").run(segment);
    sql.close();
    while ((await under.store.upkeep.reclaim(FAR)).more);
    await assertWhole(under.store, ann);
    assert.equal((await place(under.store, ann.inbox, 4500 as Uid)).segment, segment);
  });
});
