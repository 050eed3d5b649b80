import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDomain } from "../../src/model/address.ts";
import type { StoreUnderTest } from "./store-world.ts";
import { addAccount, addAccounts, address, deliver, deliverMany, domain, must, uidls, uids } from "./store-world.ts";

/** What every store holds about domains and accounts. */
export function directoryContract(open: () => Promise<StoreUnderTest>): void {
  const other = must(parseDomain("other.test"));
  const quota = { octets: null, messages: null };

  describe("directory", () => {
    it("adds, lists and removes domains", async () => {
      await using under = await open();
      const { directory } = under.store;
      assert.deepEqual(await directory.addDomain(other, 5), { ok: true, value: undefined });
      assert.deepEqual(await directory.addDomain(domain, 5), { ok: true, value: undefined });
      assert.deepEqual(await directory.addDomain(other, 6), { ok: false, error: "exists" });
      assert.deepEqual(await directory.domains(), [domain, other]);
      assert.equal(await directory.hasDomain(other), true);
      await addAccount(under.store, "ann");
      assert.deepEqual(await directory.removeDomain(domain), { ok: false, error: "in-use" });
      assert.deepEqual(await directory.removeDomain(other), { ok: true, value: undefined });
      assert.deepEqual(await directory.removeDomain(other), { ok: false, error: "unknown" });
      assert.equal(await directory.hasDomain(other), false);
      assert.deepEqual(await directory.domains(), [domain]);
    });

    it("gives an account as it was added, with its two maildrops", async () => {
      await using under = await open();
      const { directory, mail } = under.store;
      must(await directory.addDomain(domain, 1));
      const given = { address: address("ann"), secret: "{X}y", enabled: false, quota: { octets: 5e12, messages: 3 } };
      const [added] = must(await directory.addAccounts([given], 99));
      assert.ok(added);
      assert.deepEqual(await directory.account(given.address), added);
      const { id, inbox, junk } = added;
      const unset = { scram: null, expireDays: null, loginDelaySeconds: null, language: null };
      assert.deepEqual(added, { ...given, ...unset, domain, created: 99, id, inbox, junk });
      assert.notEqual(inbox, junk);
      const none = { messages: 0, octets: 0 };
      const empty = {
        account: id,
        messages: 0,
        octets: 0,
        octetsDowngraded: 0,
        highestUid: 0,
        enabled: given.enabled,
        removed: none,
      };
      assert.deepEqual(await mail.snapshot(inbox), empty);
      assert.deepEqual(await mail.snapshot(junk), empty);
      assert.equal(await directory.account(address("bob")), undefined);
    });

    it("adds all accounts or none, and says which could not be", async () => {
      await using under = await open();
      const { directory } = under.store;
      await addAccount(under.store, "ann");
      const one = (local: string, of = domain) => ({ address: address(local, of), secret: "", enabled: true, quota });
      const refused = async (...accounts: ReturnType<typeof one>[]) => directory.addAccounts(accounts, 1);
      assert.deepEqual(await refused(one("bob"), one("ann")), { ok: false, error: { index: 1, reason: "exists" } });
      assert.deepEqual(await refused(one("bob"), one("x", other)), {
        ok: false,
        error: { index: 1, reason: "no-domain" },
      });
      assert.deepEqual(await refused(one("bob"), one("cy"), one("bob")), {
        ok: false,
        error: { index: 2, reason: "exists" },
      });
      assert.equal(await directory.account(address("bob")), undefined);
      assert.equal((await directory.accounts({ limit: 10 })).length, 1);
    });

    it("pages through accounts in order of address, of all or of one domain", async () => {
      await using under = await open();
      const { directory } = under.store;
      await addAccounts(under.store, "eve", "ann", "cy");
      must(await directory.addDomain(other, 1));
      must(await directory.addAccounts([{ address: address("bob", other), secret: "", enabled: true, quota }], 1));
      const local = (accounts: readonly { readonly address: string }[]) =>
        accounts.map((account) => account.address.split("@")[0]);
      assert.deepEqual(local(await directory.accounts({ limit: 10 })), ["ann", "bob", "cy", "eve"]);
      assert.deepEqual(local(await directory.accounts({ limit: 2, after: address("ann") })), ["bob", "cy"]);
      assert.deepEqual(local(await directory.accounts({ limit: 2, domain, after: address("ann") })), ["cy", "eve"]);
      assert.deepEqual(await directory.accounts({ limit: 2, after: address("eve") }), []);
    });

    it("changes what was given and nothing else", async () => {
      await using under = await open();
      const { directory } = under.store;
      const ann = await addAccount(under.store, "ann");
      const changed = must(await directory.changeAccount(ann.address, { enabled: false }));
      assert.deepEqual(changed, { ...ann, enabled: false });
      assert.equal((await under.store.mail.snapshot(ann.junk))?.enabled, false);
      must(await directory.changeAccount(ann.address, { secret: "new", quota: { octets: 9, messages: null } }));
      const expected = { ...ann, enabled: false, secret: "new", quota: { octets: 9, messages: null } };
      assert.deepEqual(await directory.account(ann.address), expected);
      assert.deepEqual(await directory.changeAccount(address("bob"), {}), { ok: false, error: "unknown" });
    });

    it("keeps what an account has of its own, and forgets it again", async () => {
      await using under = await open();
      const { directory } = under.store;
      const ann = await addAccount(under.store, "ann");
      const own = {
        expireDays: 0,
        loginDelaySeconds: 900,
        language: "zh-CN",
        scram: Uint8Array.of(1, 0, 255),
      } as const;
      assert.deepEqual(must(await directory.changeAccount(ann.address, own)), { ...ann, ...own });
      await under.reopen();
      const account = await under.store.directory.account(ann.address);
      assert.deepEqual(account, { ...ann, ...own });
      const page = await under.store.directory.accounts({ domain, limit: 1 });
      assert.deepEqual(page, [account]);
      const none = { expireDays: null, loginDelaySeconds: null, language: null, scram: null };
      must(await under.store.directory.changeAccount(ann.address, none));
      assert.deepEqual(await under.another().directory.account(ann.address), ann);
    });

    it("lets no SCRAM keys outlive the secret that they go with", async () => {
      await using under = await open();
      const { directory } = under.store;
      await addAccount(under.store, "ann");
      const given = { address: address("bob"), secret: "{X}1", scram: Uint8Array.of(1), enabled: true, quota };
      const [bob] = must(await directory.addAccounts([given], 1));
      assert.ok(bob);
      const scram = async () => (await under.another().directory.account(bob.address))?.scram;
      assert.deepEqual(await scram(), Uint8Array.of(1));
      must(await directory.changeAccount(bob.address, { enabled: false, secret: "{X}1" }));
      assert.deepEqual(await scram(), Uint8Array.of(1));
      must(await directory.changeAccount(bob.address, { secret: "{X}2" }));
      assert.equal(await scram(), null);
      const add = (secret: string, id = bob.id) => directory.addScram(id, secret, Uint8Array.of(2));
      assert.deepEqual(await add("{X}1"), { ok: false, error: "changed" });
      assert.deepEqual(await add("{X}2", 999 as never), { ok: false, error: "unknown" });
      assert.equal(await scram(), null);
      assert.deepEqual(await add("{X}2"), { ok: true, value: undefined });
      assert.deepEqual(await scram(), Uint8Array.of(2));
      must(await directory.changeAccount(bob.address, { secret: "{X}3", scram: Uint8Array.of(3) }));
      assert.deepEqual(await scram(), Uint8Array.of(3));
    });

    it("sums up what is announced of all enabled accounts", async () => {
      await using under = await open();
      const { directory } = under.store;
      const summary = () => under.another().directory.summary();
      const nothing = { everyoneHasScram: true, shortestExpireDays: null, longestLoginDelaySeconds: null };
      assert.deepEqual(await summary(), nothing);
      const [ann, bob, cy] = await addAccounts(under.store, "ann", "bob", "cy");
      assert.ok(ann && bob && cy);
      assert.deepEqual(await summary(), { ...nothing, everyoneHasScram: false });
      for (const each of [ann, bob]) must(await directory.addScram(each.id, each.secret, Uint8Array.of(1)));
      assert.equal((await summary()).everyoneHasScram, false);
      const change = async (of: typeof ann, to: Parameters<typeof directory.changeAccount>[1]) =>
        must(await directory.changeAccount(of.address, to));
      await change(cy, { enabled: false, expireDays: 1, loginDelaySeconds: 9999 });
      assert.deepEqual(await summary(), nothing, "who cannot log in does not count");
      await change(ann, { expireDays: 0, loginDelaySeconds: 0 });
      assert.deepEqual(await summary(), { ...nothing, shortestExpireDays: 0, longestLoginDelaySeconds: 0 });
      await change(bob, { expireDays: 30, loginDelaySeconds: 60 });
      assert.deepEqual(await summary(), { ...nothing, shortestExpireDays: 30, longestLoginDelaySeconds: 60 });
      await change(cy, { enabled: true });
      const all = { everyoneHasScram: false, shortestExpireDays: 1, longestLoginDelaySeconds: 9999 };
      assert.deepEqual(await summary(), all);
    });

    it("P3: never uses the ids and UIDLs of a removed account again", async () => {
      await using under = await open();
      const before = await addAccount(under.store, "ann");
      await deliver(under.store, before, "one\r\n");
      const names = await uidls(under.store, before.inbox);
      const removed = await under.store.directory.removeAccount(before.address);
      assert.deepEqual(removed, { ok: true, value: { messages: 1 } });
      assert.equal(await under.store.directory.account(before.address), undefined);
      assert.equal(await under.store.mail.snapshot(before.inbox), undefined);
      assert.deepEqual(await uids(under.store, before.inbox), []);
      await under.reopen();
      const after = await addAccount(under.store, "ann");
      assert.ok(after.id > before.id);
      assert.ok(Math.min(after.inbox, after.junk) > Math.max(before.inbox, before.junk));
      await deliver(under.store, after, "one\r\n");
      const again = await uidls(under.store, after.inbox);
      assert.equal(again.length, 1);
      assert.notDeepEqual(again, names);
    });

    it("removes an account with more mail than one transaction takes", async () => {
      await using under = await open();
      const [ann, bob] = await addAccounts(under.store, "ann", "bob");
      assert.ok(ann && bob);
      await deliverMany(under.store, ann, 2100);
      await deliver(under.store, bob, "kept\r\n");
      const removed = await under.store.directory.removeAccount(ann.address);
      assert.deepEqual(removed, { ok: true, value: { messages: 2100 } });
      assert.deepEqual(await uids(under.store, ann.inbox), []);
      assert.equal(await under.store.mail.locate(ann.inbox, 5 as never), undefined);
      assert.deepEqual(await under.store.directory.removeAccount(ann.address), { ok: false, error: "unknown" });
      await under.reopen();
      assert.deepEqual(await uids(under.store, ann.inbox), []);
      assert.deepEqual(await uids(under.store, bob.inbox), [1]);
    });
  });
}
