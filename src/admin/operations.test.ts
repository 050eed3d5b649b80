import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import type { Result } from "../lib/result.ts";
import { parseAddress } from "../model/address.ts";
import { BODY_HEAD_OCTETS } from "../model/body.ts";
import type { Admin } from "./operations.ts";
import { localAdmin, perform } from "./perform.ts";
import type { Refusal } from "./refusal.ts";
import { testServices, type TestServices } from "./testing.ts";

let world: TestServices;
let admin: Admin;
before(async () => {
  world = await testServices();
  admin = localAdmin(world.services);
});
after(() => world[Symbol.asyncDispose]());

// A domain of its own for each test: they share one store.
let tests = 0;
let domain = "";
beforeEach(async () => {
  tests += 1;
  domain = `d${tests}.example`;
  assert.ok((await admin.call("domain.add", { name: domain })).ok);
});

function code(result: Result<unknown, Refusal>): string {
  return result.ok ? "done" : [result.error.code, result.error.subject].filter((part) => part !== "").join(" ");
}

async function account(address: string) {
  const parsed = parseAddress(address);
  assert.ok(parsed.ok);
  return world.store.directory.account(parsed.value);
}

const add = (name: string, password = "secret") => admin.call("user.add", { address: `${name}@${domain}`, password });

describe("domains", () => {
  it("are added once, compared as A-labels, and removed when no user is left", async () => {
    assert.equal(code(await admin.call("domain.add", { name: "例子.测试." })), "done");
    assert.equal(
      code(await admin.call("domain.add", { name: "XN--fsqu00a.xn--0zwm56d" })),
      "domain-exists xn--fsqu00a.xn--0zwm56d",
    );
    assert.equal(code(await admin.call("domain.add", { name: "no domain" })), "bad-domain no domain");
    assert.equal(code(await admin.call("domain.remove", { name: "gone.example" })), "unknown-domain gone.example");
    assert.ok((await add("a")).ok);
    assert.equal(code(await admin.call("domain.remove", { name: domain })), `domain-in-use ${domain}`);
    assert.equal(code(await admin.call("user.remove", { address: `a@${domain}` })), "done");
    assert.equal(code(await admin.call("domain.remove", { name: domain })), "done");
    const listed = await admin.call("domain.list", {});
    assert.ok(listed.ok && !listed.value.domains.some((name) => name === domain));
  });
});

describe("users", () => {
  it("are added with a hashed password, never an empty one", async () => {
    assert.equal(code(await add("Ünïcode")), "done");
    assert.match((await account(`ünïcode@${domain}`))?.secret ?? "", /^\$argon2id\$/);
    assert.equal(code(await add("ünïcode")), `user-exists ünïcode@${domain}`);
    assert.equal(code(await add("b", "")), `empty-password b@${domain}`);
    assert.equal(code(await add("b", "x".repeat(1025))), `too-long-password b@${domain}`);
    assert.equal(code(await add("b", "soft\u00adhyphen\ufffd")), `prohibited-password b@${domain}`);
    assert.equal(code(await add("b", "two\nlines")), `control-password b@${domain}`);
    assert.equal(code(await add("b b")), `bad-address b b@${domain}`);
    assert.equal(
      code(await admin.call("user.add", { address: "b@else.example", password: "x" })),
      "unknown-domain else.example",
    );
    assert.equal(await account(`b@${domain}`), undefined);
  });

  it("P7: are shown with what holds for them, never with their secret", async () => {
    assert.ok((await add("a")).ok);
    assert.equal(code(await admin.call("user.set", { address: `a@${domain}`, octets: 5 })), "done");
    const shown = await admin.call("user.show", { address: `A@${domain.toUpperCase()}` });
    assert.ok(shown.ok);
    const { created, ...rest } = shown.value;
    assert.ok(Math.abs(Date.parse(created) - Date.now()) < 60_000);
    assert.deepEqual(rest, {
      address: `a@${domain}`,
      enabled: true,
      quota: { octets: 5, messages: null },
      expireDays: null,
      loginDelaySeconds: null,
      language: null,
      limits: { octets: 5, messages: 10, expireDays: 0, loginDelaySeconds: 0 },
      scram: true,
      usage: { octets: 0, messages: 0 },
      inSession: false,
    });
    assert.equal(code(await admin.call("user.set", { address: `a@${domain}`, octets: null, messages: 3 })), "done");
    assert.deepEqual((await account(`a@${domain}`))?.quota, { octets: null, messages: 3 });
    const own = { expireDays: 30, loginDelaySeconds: 0, language: "zh-CN" } as const;
    assert.equal(code(await admin.call("user.set", { address: `a@${domain}`, ...own })), "done");
    const again = await admin.call("user.show", { address: `a@${domain}` });
    assert.ok(again.ok);
    assert.deepEqual(
      [again.value.expireDays, again.value.loginDelaySeconds, again.value.language, again.value.limits.expireDays],
      [30, 0, "zh-CN", 30],
    );
    assert.equal(code(await admin.call("user.set", { address: `a@${domain}`, expireDays: null })), "done");
    const kept = await account(`a@${domain}`);
    assert.deepEqual([kept?.expireDays, kept?.language, kept?.quota.messages], [null, "zh-CN", 3]);
    assert.equal(code(await admin.call("user.show", { address: `b@${domain}` })), `unknown-user b@${domain}`);
  });

  it("are listed a page at a time, of one domain or of all", async () => {
    const entries = Array.from({ length: 1001 }, (_, index) => ({
      line: index + 1,
      address: `u${String(index).padStart(4, "0")}@${domain}`,
      secret: "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
    }));
    assert.ok((await admin.call("user.import", { entries })).ok);
    const first = await admin.call("user.list", { domain });
    assert.ok(first.ok && first.value.users.length === 1000 && first.value.next === `u0999@${domain}`);
    const second = await admin.call("user.list", { domain, after: first.value.next });
    assert.ok(second.ok);
    assert.deepEqual(
      [second.value.users.map(({ address }) => address), second.value.next],
      [[`u1000@${domain}`], null],
    );
    assert.equal(code(await admin.call("user.list", { domain: "gone.example" })), "unknown-domain gone.example");
  });

  it("lose their sessions when they are disabled or removed, and keep them for a new password", async () => {
    assert.ok((await add("a")).ok);
    const user = await account(`a@${domain}`);
    assert.ok(user);
    const lost: string[] = [];
    const open = async (name: string) => {
      const lease = await world.store.leases.acquire(user.inbox, { waitMs: 0 }, () => lost.push(name));
      assert.ok(lease.ok);
      return lease.value;
    };
    await open("first");
    assert.equal(code(await admin.call("user.password", { address: user.address, password: "new" })), "done");
    const changed = await account(user.address);
    assert.notEqual(changed?.secret, user.secret);
    assert.notDeepEqual(changed?.scram, user.scram);
    const shown = await admin.call("user.show", { address: user.address });
    assert.ok(shown.ok && shown.value.inSession);
    assert.deepEqual(lost, []);
    assert.equal(code(await admin.call("user.disable", { address: user.address })), "done");
    assert.deepEqual(lost, ["first"]);
    assert.equal((await account(user.address))?.enabled, false);
    assert.equal(code(await admin.call("user.enable", { address: user.address })), "done");
    await open("second");
    assert.equal(code(await admin.call("user.remove", { address: user.address })), "done");
    assert.deepEqual(lost, ["first", "second"]);
    assert.equal(code(await admin.call("user.remove", { address: user.address })), `unknown-user a@${domain}`);
  });
});

describe("an import", () => {
  const problems = (result: Result<unknown, Refusal>) =>
    result.ok ? [] : result.error.problems?.map((problem) => `${problem.line} ${problem.code} ${problem.detail ?? ""}`);

  it("takes hashes as they are and hashes clear passwords, telling how far it is", async () => {
    const seen: number[] = [];
    const entries = [
      { line: 1, address: `a@${domain}`, secret: "{PLAIN}one" },
      { line: 2, address: `b@${domain}`, secret: "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=" },
      { line: 3, address: `c@${domain}`, secret: "{PLAIN}two" },
    ];
    const done = await admin.call("user.import", { entries }, { progress: ({ done: count }) => seen.push(count) });
    assert.deepEqual(done, { ok: true, value: { added: 3 } });
    assert.deepEqual(seen, [1, 2]);
    assert.match((await account(`a@${domain}`))?.secret ?? "", /^\$argon2id\$/);
    assert.notEqual((await account(`a@${domain}`))?.scram, null);
    // Keys come with the first login by PLAIN.
    assert.equal((await account(`b@${domain}`))?.scram, null);
    assert.equal((await account(`b@${domain}`))?.secret, "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=");
  });

  it("adds nobody when one line is wrong, and names every wrong line", async () => {
    assert.ok((await add("there")).ok);
    const entries = [
      { line: 1, address: `new@${domain}`, secret: "{PLAIN}x" },
      { line: 2, address: "", secret: null },
      { line: 4, address: "nobody", secret: "{PLAIN}x" },
      { line: 5, address: `a@${domain}`, secret: "{PLAIN}" },
      { line: 6, address: `b@${domain}`, secret: "hunter2" },
      { line: 7, address: "c@else.example", secret: "{CRAM-MD5}00" },
      { line: 8, address: `there@${domain}`, secret: "{PLAIN}x" },
      { line: 9, address: `NEW@${domain}`, secret: `{PLAIN}${"x".repeat(1025)}` },
    ];
    const result = await admin.call("user.import", { entries });
    assert.deepEqual(problems(result), [
      "2 no-secret ",
      "4 bad-address ",
      "5 secret-empty the password is empty",
      "6 secret-unknown-scheme no scheme is named: write {PLAIN} in front of a clear password",
      "7 secret-refused-scheme {CRAM-MD5} belongs to one login mechanism that is not offered here, and no password can be checked by it",
      "8 exists ",
      "9 repeated 1",
      "9 secret-too-long more than 255 octets",
    ]);
    assert.equal(await account(`new@${domain}`), undefined);
    assert.ok(!JSON.stringify(result).includes("hunter2"));
  });

  it("names a domain that is not there", async () => {
    const entries = [{ line: 3, address: "c@else.example", secret: "{PLAIN}x" }];
    assert.deepEqual(problems(await admin.call("user.import", { entries })), ["3 unknown-domain else.example"]);
  });

  it("adds nobody when whoever asked is gone before the commit", async () => {
    const gone = new AbortController();
    const entries = [1, 2, 3].map((line) => ({ line, address: `u${line}@${domain}`, secret: "{PLAIN}x" }));
    const options = { signal: gone.signal, progress: () => gone.abort() };
    assert.equal(code(await admin.call("user.import", { entries }, options)), "failed");
    assert.equal(await account(`u1@${domain}`), undefined);
  });
});

describe("a maildrop", () => {
  it("is shown with its junk, and its messages by the name of a login", async () => {
    assert.ok((await add("a")).ok);
    const removed = { messages: 0, octets: 0, until: null };
    const shown = await admin.call("maildrop.show", { address: `a+list@${domain}` });
    assert.deepEqual(shown, {
      ok: true,
      value: {
        address: `a@${domain}`,
        mailboxes: [
          { name: "INBOX", messages: 0, octets: 0, inSession: false, removed },
          { name: "Junk", messages: 0, octets: 0, inSession: false, removed },
        ],
        limits: { octets: 1000, messages: 10 },
      },
    });
    const junk = await admin.call("maildrop.messages", { address: `a+junk@${domain}` });
    assert.deepEqual(junk, {
      ok: true,
      value: { address: `a@${domain}`, mailbox: "Junk", messages: [], next: null },
    });
    assert.equal(code(await admin.call("maildrop.show", { address: `b@${domain}` })), `unknown-user b@${domain}`);
    assert.equal(code(await admin.call("maildrop.messages", { address: "b" })), "bad-address b");
  });
});

describe("the messages of a maildrop", () => {
  it("are listed with the numbers and UIDLs that a session gives them", async () => {
    assert.ok((await add("a")).ok);
    const user = await account(`a@${domain}`);
    assert.ok(user);
    for (const text of ["one\r\n", "second\r\n"]) {
      const content = Buffer.from(text);
      const buffer = new ArrayBuffer(BODY_HEAD_OCTETS + content.length);
      new Uint8Array(buffer).set(content, BODY_HEAD_OCTETS);
      const sha256 = createHash("sha256").update(content).digest();
      const digests = { octets: content.length, crc32: crc32(content), sha256, dotted: false };
      const appended = await world.store.mail.append({
        body: { kind: "memory", buffer, start: BODY_HEAD_OCTETS, ...digests },
        received: Date.UTC(2026, 0, 2),
        octetsDowngraded: content.length,
        recipients: [{ account: user.id, mailbox: user.inbox, quota: null }],
      });
      assert.ok(appended.ok && appended.value[0]?.ok);
    }
    const listed = await admin.call("maildrop.messages", { address: user.address });
    assert.ok(listed.ok);
    const { messages, next } = listed.value;
    assert.deepEqual(
      messages.map(({ number, octets, received }) => [number, octets, received]),
      [
        [1, 5, "2026-01-02T00:00:00.000Z"],
        [2, 8, "2026-01-02T00:00:00.000Z"],
      ],
    );
    for (const message of messages) assert.match(message.uidl, /^[0-9a-z]+-[0-9a-f]{8}$/);
    assert.notEqual(messages[0]?.uidl, messages[1]?.uidl);
    assert.equal(next, null);
    const shown = await admin.call("user.show", { address: user.address });
    assert.ok(shown.ok);
    assert.deepEqual(shown.value.usage, { octets: 13, messages: 2 });
    const removed = await admin.call("user.remove", { address: user.address });
    assert.deepEqual(removed, { ok: true, value: { address: user.address, messages: 2 } });
  });
});

describe("every operation", () => {
  it("P7: that changes something says so, once and without a secret", async () => {
    const start = world.events.length;
    assert.ok((await add("a", "hunter2")).ok);
    assert.ok((await admin.call("user.disable", { address: `a@${domain}` })).ok);
    assert.ok((await admin.call("user.show", { address: `a@${domain}` })).ok);
    assert.ok(!(await add("a")).ok);
    const subject = `a@${domain}`;
    assert.deepEqual(
      world.events.slice(start).map(({ event, fields }) => [event, fields]),
      [
        ["admin.change", { action: "user.add", subject }],
        ["admin.change", { action: "user.disable", subject }],
      ],
    );
    assert.ok(!JSON.stringify(world.events).includes("hunter2"));
  });

  it("refuses input that is not its own, without repeating it", async () => {
    const call = { services: world.services, signal: new AbortController().signal, progress: () => undefined };
    const wrong = [
      ["user.add", { address: "a@b.example", password: { text: "hunter2" } }],
      ["user.add", { address: "a@b.example", password: "x", admin: true }],
      ["user.add", { address: "x".repeat(2000), password: "x" }],
      ["user.add", null],
      ["user.set", { address: "a@b.example", octets: -1 }],
    ] as const;
    for (const [name, input] of wrong) {
      const result = await perform(name, input, call);
      assert.equal(code(result), `bad-input ${name}`);
      assert.ok(!JSON.stringify(result).includes("hunter2"));
    }
    assert.equal(code(await perform("toString", {}, call)), "unknown-operation toString");
    assert.equal(code(await perform("queue.list", {}, call)), "unknown-operation queue.list");
  });
});
