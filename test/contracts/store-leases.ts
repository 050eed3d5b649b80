import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MailboxId } from "../../src/model/ids.ts";
import type { StoreUnderTest } from "./store-world.ts";
import { eventually, must } from "./store-world.ts";

/** P4: one session per maildrop. */
export function leasesContract(open: () => Promise<StoreUnderTest>): void {
  const box = 5 as MailboxId;
  const now = { waitMs: 0 };
  const claim = (mark: number, afterSeconds: number, waitMs = 0) => ({ waitMs, takeOver: { mark, afterSeconds } });
  const never = (): void => assert.fail("nobody takes this one");

  describe("leases", () => {
    it("P4: gives a maildrop to one at a time", async () => {
      await using under = await open();
      const [one, two] = [under.store.leases, under.another().leases];
      const first = must(await one.acquire(box, now, never));
      assert.equal(first.mailbox, box);
      assert.equal(first.held(), true);
      assert.equal(two.held(box), true);
      assert.deepEqual(await two.acquire(box, now, never), { ok: false, error: "in-use" });
      assert.deepEqual(await one.acquire(box, { waitMs: 20 }, never), { ok: false, error: "in-use" });
      must(await two.acquire(6 as MailboxId, now, never)).release();
      first.touch();
      first.release();
      first.release();
      assert.equal(first.held(), false);
      assert.equal(two.held(box), false);
      const second = must(await two.acquire(box, now, never));
      first.release();
      first.touch();
      assert.equal(first.beginUpdate(), false);
      assert.equal(second.held(), true);
      second.release();
    });

    it("waits for a maildrop that comes free", async () => {
      await using under = await open();
      const first = must(await under.store.leases.acquire(box, now, never));
      const waiting = under.another().leases.acquire(box, { waitMs: 10_000 }, never);
      assert.equal(first.beginUpdate(), true);
      assert.equal(first.held(), true);
      first.release();
      must(await waiting).release();
    });

    it("tells a holder once that an administrator took it over", async () => {
      await using under = await open();
      for (const leases of [under.store.leases, under.another().leases]) {
        let lost = 0;
        const held = must(await under.store.leases.acquire(box, now, () => (lost += 1)));
        const taken = await leases.revoke(box);
        assert.equal(held.held(), false);
        assert.equal(held.beginUpdate(), false);
        assert.equal(taken.held(), true);
        await eventually(() => lost === 1, "the holder hears of it");
        held.release();
        assert.equal(taken.held(), true);
        taken.release();
        must(await under.store.leases.acquire(box, now, never)).release();
        assert.equal(lost, 1);
      }
    });

    it("P4: does not take over an UPDATE, but waits for its end", async () => {
      await using under = await open();
      const held = must(await under.store.leases.acquire(box, now, never));
      assert.equal(held.beginUpdate(), true);
      let taken = false;
      const revoked = under.another().leases.revoke(box);
      void revoked.then(() => (taken = true));
      assert.deepEqual(await under.store.leases.acquire(box, { waitMs: 30 }, never), { ok: false, error: "in-use" });
      assert.equal(taken, false);
      assert.equal(held.held(), true);
      held.release();
      (await revoked).release();
    });

    it("takes what is free, and grows with the mailboxes", async () => {
      await using under = await open();
      const far = 300_000 as MailboxId;
      assert.equal(under.store.leases.held(far), false);
      const taken = await under.another().leases.revoke(far);
      assert.equal(under.store.leases.held(far), true);
      assert.deepEqual(await under.store.leases.acquire(far, now, never), { ok: false, error: "in-use" });
      taken.release();
      must(await under.store.leases.acquire(far, now, never)).release();
    });

    it("gives a dead session's lease to the same device, and tells the dead one once", async () => {
      await using under = await open();
      for (const leases of [under.store.leases, under.another().leases]) {
        let lost = 0;
        const dead = must(await under.store.leases.acquire(box, claim(0xdeadbeef, 3600), () => (lost += 1)));
        const taken = must(await leases.acquire(box, claim(0xdeadbeef, 0), never));
        assert.deepEqual([dead.held(), taken.held()], [false, true]);
        assert.equal(dead.beginUpdate(), false);
        await eventually(() => lost === 1, "the holder hears of it");
        dead.touch();
        dead.release();
        assert.equal(taken.beginUpdate(), true);
        taken.release();
        assert.equal(lost, 1);
      }
    });

    it("takes nothing over from another device, nor before its time, nor from an UPDATE", async () => {
      await using under = await open();
      const [one, two] = [under.store.leases, under.another().leases];
      const held = must(await one.acquire(box, claim(7, 0), never));
      const inUse = { ok: false, error: "in-use" };
      assert.deepEqual(await two.acquire(box, claim(8, 0), never), inUse, "another device");
      assert.deepEqual(await two.acquire(box, now, never), inUse, "nobody in particular");
      assert.deepEqual(await two.acquire(box, claim(7, 3600, 20), never), inUse, "it lived a moment ago");
      assert.equal(held.beginUpdate(), true);
      assert.deepEqual(await two.acquire(box, claim(7, 0, 20), never), inUse, "in UPDATE");
      held.release();
      const another = must(await two.acquire(box, { waitMs: 0, job: true }, never));
      assert.deepEqual(await one.acquire(box, claim(7, 0), never), inUse, "who held it before has no claim");
      another.release();
      const revoked = await two.revoke(box);
      assert.deepEqual(await one.acquire(box, claim(7, 0), never), inUse, "an administrator");
      revoked.release();
    });

    it("takes over while it waits, once the time has come", async () => {
      await using under = await open();
      const lost = Promise.withResolvers<void>();
      const dead = must(await under.store.leases.acquire(box, claim(7, 3600), lost.resolve));
      const taken = must(await under.another().leases.acquire(box, claim(7, 0.2, 60_000), never));
      await lost.promise;
      assert.equal(dead.held(), false);
      taken.release();
    });

    it("gives way to the end of an UPDATE while it waits, and takes the maildrop then", async () => {
      await using under = await open();
      const held = must(await under.store.leases.acquire(box, claim(7, 0), never));
      assert.equal(held.beginUpdate(), true);
      const waiting = under.another().leases.acquire(box, claim(7, 0, 60_000), never);
      assert.equal(held.held(), true);
      held.release();
      must(await waiting).release();
    });

    it("knows how long ago a session took a maildrop; jobs and administrators do not count", async () => {
      await using under = await open();
      const [one, two] = [under.store.leases, under.another().leases];
      must(await one.acquire(box, { waitMs: 0, job: true }, never)).release();
      (await one.revoke(box)).release();
      assert.equal(two.secondsSinceOpened(box), Number.POSITIVE_INFINITY);
      assert.equal(two.secondsSinceOpened(70_000 as MailboxId), Number.POSITIVE_INFINITY);
      const held = must(await one.acquire(box, now, never));
      const ago = two.secondsSinceOpened(box);
      assert.ok(ago >= 0 && ago < 60, `${ago}`);
      held.release();
      (await one.revoke(box)).release();
      assert.ok(two.secondsSinceOpened(box) < 60);
    });
  });
}
