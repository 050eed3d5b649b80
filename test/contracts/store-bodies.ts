import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { BODY_HEAD_OCTETS } from "../../src/model/body.ts";
import type { Uid } from "../../src/model/ids.ts";
import type { Store } from "../../src/store/ports.ts";
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
  place,
  uids,
} from "./store-world.ts";

const FAR = 1e15;

/** What every store that keeps bodies on disk holds about them. */
export function bodiesContract(open: () => Promise<StoreUnderTest>): void {
  const files = (under: StoreUnderTest, within = ""): readonly string[] => under.files(path.join("bodies", within));
  const reclaimAll = async (store: Store, eraseBefore: number) => {
    let moved = 0;
    let removed = 0;
    for (let more = true; more;) {
      const done = await store.upkeep.reclaim(eraseBefore);
      moved += done.octetsMoved;
      removed += done.segmentsRemoved;
      more = done.more;
    }
    return { moved, removed };
  };
  const spooled = async (store: Store, head: string, text: string) => {
    const spool = await store.bodies.spool();
    for (let at = 0; at < text.length; at += 70_000) await spool.write(Buffer.from(text.slice(at, at + 70_000)));
    assert.equal(spool.octets, text.length);
    return { spool, body: await spool.finish(Buffer.from(head)) };
  };

  describe("bodies", () => {
    it("takes a spooled body with its head, as a file of its own until its last message goes", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      const text = "0123456789abcde\r\n".repeat(40_000);
      const { spool, body } = await spooled(store, "Received: here\r\n", text);
      assert.equal(body.octets, text.length + 16);
      assert.equal(body.dotted, false);
      must(await store.mail.append(deliveryOf(body, ann)));
      await spool.discard();
      const where = await place(store, ann.inbox, 1 as Uid);
      assert.equal(where.segment, null);
      assert.equal((await content(store, ann.inbox, 1 as Uid)).toString(), `Received: here\r\n${text}`);
      assert.equal(files(under, "files").length, 1);
      assert.deepEqual(files(under, "spool"), []);
      const file = store.bodies.open(where);
      assert.ok(file);
      const target = Buffer.alloc(10);
      assert.equal(await file.read(target, body.octets - 4), 4);
      assert.equal(target.toString("latin1", 0, 4), "de\r\n");
      file.close();
      must(await store.mail.expunge(ann.inbox, Uint32Array.of(1)));
      await eventually(() => files(under, "files").length === 0, "the file is removed");
      assert.equal(store.bodies.open(where), undefined);
    });

    it("finds dots at line starts wherever a piece ends", async () => {
      await using under = await open();
      const line = "x".repeat(256 * 1024 - 18);
      const dotted = async (text: string) => (await spooled(under.store, "Head: 12345678\r\n", text)).body.dotted;
      assert.equal(await dotted(`${line}\r\n.\r\n`), true);
      assert.equal(await dotted(`.${line}\r\n`), true);
      assert.equal(await dotted(`${line}.\r\nx.\r\n`), false);
    });

    it("leaves nothing of a spool that was discarded, or that nobody took", async () => {
      await using under = await open();
      const { store } = under;
      const one = await store.bodies.spool();
      await one.write(Buffer.from("half"));
      await one.discard();
      await one.discard();
      const { body } = await spooled(store, "", "all\r\n");
      must(await store.mail.append({ ...deliveryOf(body), recipients: [] }));
      await eventually(() => files(under, "files").length + files(under, "spool").length === 0, "no file is left");
      await (await store.bodies.spool()).write(Buffer.from("left by a crash"));
      await under.reopen();
      assert.deepEqual(files(under, "spool"), []);
    });

    it("P8: moves what lives out of a segment under an open reader, and gives the space back", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      const large = "y".repeat(700_000);
      for (let count = 0; count < 26; count += 1) await deliver(store, ann, `${count}${large}`);
      await deliver(store, ann, "small\r\n");
      const first = (await place(store, ann.inbox, 1 as Uid)).segment;
      const kept = await place(store, ann.inbox, 2 as Uid);
      assert.notEqual((await place(store, ann.inbox, 26 as Uid)).segment, first);
      const reader = under.another().bodies.open(kept);
      assert.ok(reader);
      const before = await content(store, ann.inbox, 2 as Uid);
      must(
        await store.mail.expunge(
          ann.inbox,
          Uint32Array.from({ length: 21 }, (_, index) => index + 3),
        ),
      );
      const { moved, removed } = await reclaimAll(store, 0);
      assert.ok(removed >= 1 && moved > 1_300_000, `${removed} removed, ${moved} moved`);
      const target = Buffer.alloc(kept.octets);
      assert.equal(reader.readSync(target, 0), kept.octets);
      assert.deepEqual(target, before);
      reader.close();
      assert.equal(store.bodies.open(kept), undefined);
      assert.notEqual((await place(store, ann.inbox, 2 as Uid)).segment, first);
      assert.deepEqual(await content(under.another(), ann.inbox, 2 as Uid), before);
      assert.equal((await content(store, ann.inbox, 27 as Uid)).toString(), "small\r\n");
      await under.reopen();
      assert.deepEqual(await content(under.store, ann.inbox, 2 as Uid), before);
    });

    it("erases what is dead for long, also beside living mail in the segment that takes new mail", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliver(store, ann, "secret that must go\r\n");
      await deliver(store, ann, "stays\r\n");
      must(await store.mail.expunge(ann.inbox, Uint32Array.of(1)));
      await reclaimAll(store, 0);
      const onDisk = () =>
        files(under, "segments").some((name) =>
          Buffer.from(under.octets(path.join("bodies/segments", name))).includes("must go"),
        );
      assert.equal(onDisk(), true);
      await reclaimAll(store, FAR);
      assert.equal(onDisk(), false);
      assert.equal((await content(store, ann.inbox, 2 as Uid)).toString(), "stays\r\n");
      assert.deepEqual(await store.upkeep.reclaim(FAR), { segmentsRemoved: 0, octetsMoved: 0, more: false });
      await deliver(store, ann, "more\r\n");
      assert.equal((await content(store, ann.inbox, 3 as Uid)).toString(), "more\r\n");
      must(await store.mail.expunge(ann.inbox, Uint32Array.of(2, 3)));
      await reclaimAll(store, FAR);
      assert.deepEqual(files(under, "segments"), []);
    });

    it("keeps delivering and reading while reclaim runs", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      const kept: string[] = [];
      for (let round = 0; round < 4; round += 1) {
        const got = await deliverMany(store, ann, 40);
        const [reclaimed] = await Promise.all([
          store.upkeep.reclaim(FAR),
          store.mail.expunge(ann.inbox, Uint32Array.from(got.slice(1))),
          deliver(store, ann, `beside ${round}`),
        ]);
        assert.equal(typeof reclaimed.more, "boolean");
        kept.push("message 0\r\n", `beside ${round}`);
      }
      await reclaimAll(store, FAR);
      const left: string[] = [];
      for (const uid of await uids(store, ann.inbox)) {
        left.push((await content(store, ann.inbox, uid as Uid)).toString());
      }
      assert.deepEqual(left, kept);
    });

    it("says that it is well", async () => {
      await using under = await open();
      assert.equal(await under.store.upkeep.state(), "ok");
    });

    it("P8: refuses to read a body that is not the one its row names", async () => {
      await using under = await open();
      const { store } = under;
      const ann = await addAccount(store, "ann");
      await deliver(store, ann, "one\r\n");
      await deliver(store, ann, "two\r\n");
      const one = await place(store, ann.inbox, 1 as Uid);
      const two = await place(store, ann.inbox, 2 as Uid);
      const wrongs = [
        { ...one, offset: two.offset },
        { ...one, octets: 6 },
        { ...one, offset: one.offset + 9000 },
        { ...one, sha256: two.sha256 },
      ];
      for (const wrong of wrongs) {
        const file = store.bodies.open(wrong);
        assert.ok(file);
        const target = Buffer.alloc(BODY_HEAD_OCTETS + 5);
        assert.throws(() => file.readSync(target, -BODY_HEAD_OCTETS), { name: "StoreError", kind: "damaged" });
        await assert.rejects(file.read(target, -BODY_HEAD_OCTETS), { name: "StoreError", kind: "damaged" });
        file.close();
      }
      assert.equal(store.bodies.open({ ...one, segment: 77 as never }), undefined);
      assert.equal(memoryBody(store, "x").octets, 1);
    });
  });
}
