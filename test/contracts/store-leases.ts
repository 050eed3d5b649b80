import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MailboxId } from "../../src/model/ids.ts";
import type { StoreUnderTest } from "./store-world.ts";
import { eventually, must } from "./store-world.ts";

/** P4: one session per maildrop. */
export function leasesContract(open: () => Promise<StoreUnderTest>): void {
  const box = 5 as MailboxId;
  const never = (): void => assert.fail("nobody takes this one");

  describe("leases", () => {
    it("P4: gives a maildrop to one at a time", async () => {
      await using under = await open();
      const [one, two] = [under.store.leases, under.another().leases];
      const first = must(await one.acquire(box, 0, never));
      assert.equal(first.mailbox, box);
      assert.equal(first.held(), true);
      assert.equal(two.held(box), true);
      assert.deepEqual(await two.acquire(box, 0, never), { ok: false, error: "in-use" });
      assert.deepEqual(await one.acquire(box, 20, never), { ok: false, error: "in-use" });
      must(await two.acquire(6 as MailboxId, 0, never)).release();
      first.touch();
      first.release();
      first.release();
      assert.equal(first.held(), false);
      assert.equal(two.held(box), false);
      const second = must(await two.acquire(box, 0, never));
      first.release();
      first.touch();
      assert.equal(first.beginUpdate(), false);
      assert.equal(second.held(), true);
      second.release();
    });

    it("waits for a maildrop that comes free", async () => {
      await using under = await open();
      const first = must(await under.store.leases.acquire(box, 0, never));
      const waiting = under.another().leases.acquire(box, 10_000, never);
      assert.equal(first.beginUpdate(), true);
      assert.equal(first.held(), true);
      first.release();
      must(await waiting).release();
    });

    it("tells a holder once that an administrator took it over", async () => {
      await using under = await open();
      for (const leases of [under.store.leases, under.another().leases]) {
        let lost = 0;
        const held = must(await under.store.leases.acquire(box, 0, () => (lost += 1)));
        const taken = await leases.revoke(box);
        assert.equal(held.held(), false);
        assert.equal(held.beginUpdate(), false);
        assert.equal(taken.held(), true);
        await eventually(() => lost === 1, "the holder hears of it");
        held.release();
        assert.equal(taken.held(), true);
        taken.release();
        must(await under.store.leases.acquire(box, 0, never)).release();
        assert.equal(lost, 1);
      }
    });

    it("does not take over an UPDATE, but waits for its end", async () => {
      await using under = await open();
      const held = must(await under.store.leases.acquire(box, 0, never));
      assert.equal(held.beginUpdate(), true);
      let taken = false;
      const revoked = under.another().leases.revoke(box);
      void revoked.then(() => (taken = true));
      assert.deepEqual(await under.store.leases.acquire(box, 30, never), { ok: false, error: "in-use" });
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
      assert.deepEqual(await under.store.leases.acquire(far, 0, never), { ok: false, error: "in-use" });
      taken.release();
      must(await under.store.leases.acquire(far, 0, never)).release();
    });
  });
}
