import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { err, ok } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address, Domain } from "../model/address.ts";
import type { AccountId, MailboxId } from "../model/ids.ts";
import type { Usage } from "../model/quota.ts";
import { createRecipients, type RecipientParts } from "./recipients.ts";

const QUOTA = { octets: 1000, messages: 10 };

describe("who a forward path names", () => {
  const house = houseOf(["demo@example.test", "demo+own@example.test", "admin@example.test", "用户@xn--fsqu00a.test"]);
  const table: readonly (readonly [string, string])[] = [
    ["demo@example.test", "demo@example.test INBOX"],
    ["Demo@EXAMPLE.Test", "demo@example.test INBOX"],
    ["demo+shop@example.test", "demo@example.test INBOX"],
    ["demo+junk@example.test", "demo@example.test Junk"],
    ["demo+JUNK@example.test", "demo@example.test Junk"],
    ["demo+own@example.test", "demo+own@example.test INBOX"],
    ['"demo"@example.test', "demo@example.test INBOX"],
    ["用户@例子.test", "用户@xn--fsqu00a.test INBOX"],
    ["用户@xn--fsqu00a.test", "用户@xn--fsqu00a.test INBOX"],
    ["postmaster", "admin@example.test INBOX"],
    ["PostMaster@example.test", "admin@example.test INBOX"],
    ["postmaster+x@xn--fsqu00a.test", "admin@example.test INBOX"],
    ["postmaster@elsewhere.test", "elsewhere"],
    ["nobody@example.test", "unknown"],
    ["nobody+junk@example.test", "unknown"],
    ['"no body"@example.test', "unknown"],
    ['"no body"@elsewhere.test', "elsewhere"],
    ["demo@elsewhere.test", "elsewhere"],
    ["demo@[192.0.2.1]", "elsewhere"],
    ["demo@bad_domain!.test", "bad-address"],
    ["demo", "bad-address"],
  ];
  for (const [path, expected] of table) {
    test(`${path}: ${expected}`, async () => {
      const decided = await createRecipients(house)(path, 0);
      if (!decided.ok) return assert.equal(decided.error, expected);
      const { asGiven, address, account, mailbox, quota } = decided.value;
      assert.equal(`${address} ${mailbox % 2 === 0 ? "INBOX" : "Junk"}`, expected);
      assert.equal(asGiven, path);
      assert.equal(Math.floor(mailbox / 2), account);
      assert.deepEqual(quota, QUOTA);
    });
  }

  test("an exact account of that name takes postmaster's mail of its domain", async () => {
    const decided = await createRecipients(houseOf(["admin@example.test", "postmaster@example.test"]))(
      "postmaster@example.test",
      0,
    );
    assert.equal(decided.ok && decided.value.address, "postmaster@example.test");
  });

  test("a postmaster who was named and is not there is an outage; one who was not named is nobody", async () => {
    assert.deepEqual(await createRecipients(houseOf(["demo@example.test"]))("postmaster", 0), err("unavailable"));
    const unnamed = { ...houseOf(["demo@example.test"]), postmaster: undefined };
    assert.deepEqual(await createRecipients(unnamed)("postmaster@example.test", 0), err("unknown"));
  });
});

describe("what a mailbox may hold", () => {
  test("a disabled account takes nothing", async () => {
    const house = houseOf(["demo@example.test"], { enabled: false });
    assert.deepEqual(await createRecipients(house)("demo@example.test", 0), err("disabled"));
  });

  test("a full one takes nothing, by octets or by messages; what was announced must fit", async () => {
    const asked = async (usage: Usage, octets: number, own?: Partial<Account>): Promise<string> => {
      const decided = await createRecipients(houseOf(["demo@example.test"], own, usage))("demo@example.test", octets);
      return decided.ok ? "ok" : decided.error;
    };
    assert.equal(await asked({ octets: 999, messages: 9 }, 0), "ok");
    assert.equal(await asked({ octets: 1000, messages: 1 }, 0), "over-quota");
    assert.equal(await asked({ octets: 1, messages: 10 }, 0), "over-quota");
    assert.equal(await asked({ octets: 500, messages: 1 }, 500), "ok");
    assert.equal(await asked({ octets: 500, messages: 1 }, 501), "over-quota");
    assert.equal(await asked({ octets: 500, messages: 1 }, 501, { quota: { octets: 5000, messages: null } }), "ok");
  });
});

/** Accounts by their address, ids from 1, mailboxes 2·id (INBOX) and 2·id + 1 (Junk). */
function houseOf(
  addresses: readonly string[],
  own: Partial<Account> = {},
  usage: Usage = { octets: 0, messages: 0 },
): RecipientParts {
  const accounts = new Map(
    addresses.map((address, i): [string, Account] => {
      const id = i + 1;
      const domain = address.slice(address.lastIndexOf("@") + 1) as Domain;
      const account: Account = {
        id: id as AccountId,
        address: address as Address,
        domain,
        secret: "",
        enabled: true,
        quota: { octets: null, messages: null },
        created: 0,
        scram: null,
        expireDays: null,
        loginDelaySeconds: null,
        language: null,
        inbox: (id * 2) as MailboxId,
        junk: (id * 2 + 1) as MailboxId,
        ...own,
      };
      return [address, account];
    }),
  );
  const domains = new Set([...accounts.values()].map(({ domain }) => domain));
  return {
    directory: {
      account: (address) => Promise.resolve(accounts.get(address)),
      hasDomain: (domain) => Promise.resolve(domains.has(domain)),
    },
    mail: { usage: () => Promise.resolve(usage) },
    postmaster: "admin@example.test" as Address,
    quota: QUOTA,
  };
}

// `ok` is what a caller sees first; the table above takes it apart.
test("a decision carries the account's own mailboxes", async () => {
  const decided = await createRecipients(houseOf(["demo@example.test"]))("demo@example.test", 0);
  const who = { asGiven: "demo@example.test", address: "demo@example.test", account: 1 };
  const value = { ...who, mailbox: 2, junk: 3, quota: QUOTA };
  assert.deepEqual(decided, ok(value));
});
