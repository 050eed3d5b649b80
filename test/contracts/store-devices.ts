import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Account } from "../../src/model/account.ts";
import type { AccountId } from "../../src/model/ids.ts";
import { MOST_APP_PASSWORDS } from "../../src/store/ports.ts";
import type { StoreUnderTest } from "./store-world.ts";
import { addAccount, addAccounts, must } from "./store-world.ts";

/** What every store holds about the passwords of devices and the places that they come from. */
export function devicesContract(open: () => Promise<StoreUnderTest>): void {
  const passwordOf = (account: Account, name: string) => ({
    account: account.id,
    name,
    digest: Uint8Array.of(1, 2, 3, name.length),
    scram: Uint8Array.of(9, 8),
    scopes: ["pop3"] as const,
    noDelete: true,
    expires: 77,
    created: 5,
  });

  describe("devices", () => {
    it("gives app passwords as they were added, in order of name, to the account that they are of", async () => {
      await using under = await open();
      const { devices } = under.store;
      const [ann, bob] = await addAccounts(under.store, "ann", "bob");
      assert.ok(ann && bob);
      const phone = must(await devices.addAppPassword(passwordOf(ann, "phone")));
      const given = { ...passwordOf(ann, "laptop"), scopes: ["smtp", "pop3"] as const, noDelete: false, expires: null };
      const laptop = must(await devices.addAppPassword(given));
      assert.deepEqual(phone, { ...passwordOf(ann, "phone"), id: phone.id, lastUsed: null, lastPeer: null });
      assert.ok(laptop.id > phone.id);
      must(await devices.addAppPassword(passwordOf(bob, "phone")));
      const found = await under.another().devices.appPasswords(ann.id);
      assert.deepEqual(found, [{ ...laptop, scopes: ["pop3", "smtp"] }, phone]);
    });

    it("refuses a name that is taken, an account that is not there, and more than can be tried", async () => {
      await using under = await open();
      const { devices } = under.store;
      const ann = await addAccount(under.store, "ann");
      must(await devices.addAppPassword(passwordOf(ann, "phone")));
      const again = await devices.addAppPassword(passwordOf(ann, "phone"));
      assert.deepEqual(again, { ok: false, error: "exists" });
      const nobody = { ...passwordOf(ann, "x"), account: 999 as AccountId };
      assert.deepEqual(await devices.addAppPassword(nobody), { ok: false, error: "unknown" });
      const more = Array.from({ length: MOST_APP_PASSWORDS }, (_, index) =>
        devices.addAppPassword(passwordOf(ann, `device ${index}`)),
      );
      const outcomes = await Promise.all(more);
      assert.deepEqual(outcomes.at(-1), { ok: false, error: "too-many" });
      assert.equal((await devices.appPasswords(ann.id)).length, MOST_APP_PASSWORDS);
      must(await devices.removeAppPassword(ann.id, "phone"));
      must(await devices.addAppPassword(passwordOf(ann, "phone")));
    });

    it("P3: revokes one by its name, and never uses its id again", async () => {
      await using under = await open();
      const ann = await addAccount(under.store, "ann");
      const before = must(await under.store.devices.addAppPassword(passwordOf(ann, "phone")));
      must(await under.store.devices.removeAppPassword(ann.id, "phone"));
      const missing = await under.store.devices.removeAppPassword(ann.id, "phone");
      assert.deepEqual(missing, { ok: false, error: "unknown" });
      assert.deepEqual(await under.store.devices.appPasswords(ann.id), []);
      await under.reopen();
      const after = must(await under.store.devices.addAppPassword(passwordOf(ann, "phone")));
      assert.ok(after.id > before.id);
    });

    it("notes uses, and an older one never hides a newer one", async () => {
      await using under = await open();
      const { devices } = under.store;
      const ann = await addAccount(under.store, "ann");
      const { id } = must(await devices.addAppPassword(passwordOf(ann, "phone")));
      const last = async () => {
        const [found] = await devices.appPasswords(ann.id);
        return [found?.lastUsed, found?.lastPeer];
      };
      must(
        await devices.noteUses([
          { id: 999 as never, at: 1, peer: "revoked" },
          { id, at: 20, peer: "192.0.2.7" },
        ]),
      );
      assert.deepEqual(await last(), [20, "192.0.2.7"]);
      must(await devices.noteUses([{ id, at: 10, peer: "192.0.2.1" }]));
      assert.deepEqual(await last(), [20, "192.0.2.7"]);
      must(
        await devices.noteUses([
          { id, at: 30, peer: "2001:db8::1" },
          { id, at: 25, peer: "late" },
        ]),
      );
      assert.deepEqual(await last(), [30, "2001:db8::1"]);
    });

    it("knows the newest 64 places of an account, each with its last time", async () => {
      await using under = await open();
      const { devices } = under.store;
      const [ann, bob] = await addAccounts(under.store, "ann", "bob");
      assert.ok(ann && bob);
      const placeOf = (account: AccountId, place: string, last: number) => ({ account, place, last });
      must(await devices.noteKnownPlaces([placeOf(ann.id, "a", 10), placeOf(999 as AccountId, "a", 50)]));
      must(await devices.noteKnownPlaces([placeOf(ann.id, "a", 5), placeOf(bob.id, "a", 7), placeOf(ann.id, "b", 11)]));
      const found = await under.another().devices.knownPlaces({ since: 7, limit: 9 });
      assert.deepEqual(found, [
        { ...placeOf(ann.id, "b", 11), address: ann.address },
        { ...placeOf(ann.id, "a", 10), address: ann.address },
        { ...placeOf(bob.id, "a", 7), address: bob.address },
      ]);
      assert.deepEqual(
        (await devices.knownPlaces({ since: 8, limit: 1 })).map(({ place }) => place),
        ["b"],
      );
      must(await devices.noteKnownPlaces(Array.from({ length: 70 }, (_, at) => placeOf(ann.id, `p${at}`, 100 + at))));
      const all = await devices.knownPlaces({ since: 0, limit: 999 });
      assert.deepEqual([all.length, all[0]?.place, all[63]?.place, all[64]?.account], [65, "p69", "p6", bob.id]);
    });

    it("forgets both with their account", async () => {
      await using under = await open();
      const { devices, directory } = under.store;
      const ann = await addAccount(under.store, "ann");
      must(await devices.addAppPassword(passwordOf(ann, "phone")));
      must(await devices.noteKnownPlaces([{ account: ann.id, place: "a", last: 1 }]));
      must(await directory.removeAccount(ann.address));
      assert.deepEqual(await devices.appPasswords(ann.id), []);
      assert.deepEqual(await devices.knownPlaces({ since: 0, limit: 9 }), []);
      const again = await addAccount(under.store, "ann");
      assert.deepEqual(await devices.appPasswords(again.id), []);
    });
  });
}
