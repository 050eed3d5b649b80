import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import type { Result } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import { parseAddress } from "../model/address.ts";
import { BODY_HEAD_OCTETS } from "../model/body.ts";
import type { MailboxId, Uid } from "../model/ids.ts";
import { uidlHead } from "../model/message.ts";
import { uidlOf } from "./find-message.ts";
import type { Admin } from "./operations.ts";
import { localAdmin } from "./perform.ts";
import type { Refusal } from "./refusal.ts";
import { testServices, type TestServices } from "./testing.ts";

let world: TestServices;
let admin: Admin;
before(async () => {
  world = await testServices();
  admin = localAdmin(world.services);
  assert.ok((await admin.call("domain.add", { name: "d.example" })).ok);
});
after(() => world[Symbol.asyncDispose]());

// A user of its own for each test: they share one store.
let users = 0;
let address = "";
let user: Account;
beforeEach(async () => {
  users += 1;
  address = `u${users}@d.example`;
  const entries = [{ line: 1, address, secret: "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=" }];
  assert.ok((await admin.call("user.import", { entries })).ok);
  const parsed = parseAddress(address);
  assert.ok(parsed.ok);
  const found = await world.store.directory.account(parsed.value);
  assert.ok(found);
  user = found;
});

const RECEIVED = Date.UTC(2026, 0, 2);

async function deliver(text: string, name?: string, mailbox = user.inbox): Promise<Uid> {
  const content = Buffer.from(text);
  const buffer = new ArrayBuffer(BODY_HEAD_OCTETS + content.length);
  new Uint8Array(buffer).set(content, BODY_HEAD_OCTETS);
  const sha256 = createHash("sha256").update(content).digest();
  const digests = { octets: content.length, crc32: crc32(content), sha256, dotted: false };
  const appended = await world.store.mail.append({
    body: { kind: "memory", buffer, start: BODY_HEAD_OCTETS, ...digests },
    received: RECEIVED,
    octetsDowngraded: content.length,
    recipients: [{ account: user.id, mailbox, quota: null, ...(name === undefined ? {} : { uidl: name }) }],
  });
  assert.ok(appended.ok && appended.value[0]?.ok);
  return appended.value[0].value;
}

const phone = { session: "s1", device: "phone", peer: "192.0.2.7" };
const main = { session: "s2", device: "", peer: "192.0.2.8" };

async function remove(uids: readonly Uid[], by = phone, mailbox: MailboxId = user.inbox): Promise<void> {
  const cause = { ...by, kind: "removed", keep: true } as const;
  assert.ok((await world.store.mail.expunge(mailbox, Uint32Array.from(uids), cause)).ok);
}

async function fetched(uid: Uid, kind: "sent" | "cut", octets: number, by = phone): Promise<void> {
  const at = Date.now();
  const transfer = { ...by, account: user.id, mailbox: user.inbox, uid, at, kind, octets };
  assert.ok((await world.store.history.note([transfer])).ok);
}

const named = (uid: Uid, mailbox: MailboxId = user.inbox) => uidlOf(world.store.mail, mailbox, uid);

function code(result: Result<unknown, Refusal>): string {
  return result.ok ? "done" : [result.error.code, result.error.subject, result.error.detail].filter(Boolean).join(" ");
}

describe("the history of a maildrop", () => {
  it("tells who fetched and who removed what, the newest first, a page at a time", async () => {
    const [one, two] = [await deliver("one\r\n"), await deliver("two\r\n")];
    await fetched(one, "sent", 5);
    await fetched(two, "cut", 2, main);
    const names = [await named(one), await named(two)];
    await remove([one, two]);
    const page = await admin.call("maildrop.history", { address });
    assert.ok(page.ok);
    assert.deepEqual(
      page.value.entries.map(({ at, ...rest }) => [Math.abs(Date.parse(at) - Date.now()) < 60_000, rest]),
      [
        [true, { kind: "removed", messages: 2, uidls: names, newUidls: [], octets: null, ...phone }],
        [true, { kind: "cut", messages: 1, uidls: [names[1]], newUidls: [], octets: 2, ...main }],
        [true, { kind: "sent", messages: 1, uidls: [names[0]], newUidls: [], octets: 5, ...phone }],
      ],
    );
    assert.equal(page.value.next, null);
    const kinds: string[] = [];
    for (let next: number | null | undefined; next !== null;) {
      const some = await admin.call("maildrop.history", {
        address,
        limit: 2,
        ...(next === undefined ? {} : { before: next }),
      });
      assert.ok(some.ok);
      kinds.push(...some.value.entries.map(({ kind }) => kind));
      next = some.value.next;
    }
    assert.deepEqual(kinds, ["removed", "cut", "sent"]);
  });

  it("names what is gone for good by the head of its UIDL, by which it is found", async () => {
    const uid = await deliver("one\r\n");
    await fetched(uid, "sent", 5);
    const name = await named(uid);
    await remove([uid]);
    assert.ok((await world.store.upkeep.erase(Number.MAX_SAFE_INTEGER)).ok);
    const [head = ""] = name.split("-");
    const page = await admin.call("maildrop.history", { address });
    assert.ok(page.ok);
    assert.deepEqual(
      page.value.entries.map(({ kind, uidls }) => [kind, uidls]),
      [
        ["erased", [head]],
        ["removed", [head]],
        ["sent", [head]],
      ],
    );
    for (const given of [name, head]) {
      const story = await admin.call("maildrop.message", { address, uidl: given });
      assert.ok(story.ok);
      assert.deepEqual(story.value.message, {
        uidl: given,
        state: "gone",
        received: null,
        octets: null,
        recoverableUntil: null,
        restoredAs: null,
      });
      assert.equal(story.value.entries.length, 3);
    }
  });
});

describe("the story of a message", () => {
  it("is told where it is, and where it came back", async () => {
    const [uid, other] = [await deliver("one\r\n"), await deliver("two\r\n")];
    const name = await named(uid);
    const story = async (uidl: string) => {
      const told = await admin.call("maildrop.message", { address, uidl });
      assert.ok(told.ok);
      return told.value;
    };
    const received = new Date(RECEIVED).toISOString();
    const facts = { uidl: name, received, octets: 5, restoredAs: null };
    assert.deepEqual((await story(name)).message, { ...facts, state: "here", recoverableUntil: null });
    await fetched(uid, "sent", 5);
    await remove([uid, other]);
    const { message } = await story(name);
    const until = Date.parse(message.recoverableUntil ?? "");
    assert.deepEqual({ ...message, recoverableUntil: null }, { ...facts, state: "removed", recoverableUntil: null });
    assert.ok(Math.abs(until - Date.now() - 14 * 86_400_000) < 60_000);
    assert.ok((await admin.call("maildrop.restore", { address, uidl: name })).ok);
    const { entries, message: gone } = await story(name);
    assert.equal(gone.state, "restored");
    assert.deepEqual(
      entries.map(({ kind, messages, uidls }) => [kind, messages, uidls.length]),
      [
        ["restored", 1, 1],
        ["removed", 2, 1],
        ["sent", 1, 1],
      ],
    );
    const [{ newUidls: [back = ""] } = { newUidls: [] }] = entries;
    assert.notEqual(back, name);
    assert.equal(gone.restoredAs, back);
    assert.deepEqual([gone.received, gone.octets], [received, 5], "when it came is not forgotten");
    const again = await story(back);
    assert.equal(again.message.state, "here");
    assert.deepEqual(
      again.entries.map(({ kind, uidls, newUidls }) => [kind, uidls, newUidls]),
      [["restored", [uidlHead(uid)], [back]]],
    );
  });

  it("is found by a UIDL of its own (imported mail), here and removed, and by no other", async () => {
    const uid = await deliver("one\r\n", "<old-server.17>");
    // As a number it would name the first one.
    await deliver("second\r\n", uidlHead(uid));
    const find = (uidl: string) => admin.call("maildrop.message", { address, uidl });
    const here = await find("<old-server.17>");
    assert.ok(here.ok && here.value.message.state === "here");
    const own = await find(uidlHead(uid));
    assert.equal(own.ok && own.value.message.octets, 8);
    await remove([uid]);
    const removed = await find("<old-server.17>");
    assert.ok(removed.ok && removed.value.message.state === "removed");
    assert.equal(code(await find("<old-server.18>")), `unknown-message <old-server.18> ${address}`);
    assert.equal(code(await find("zz-00000000")), `unknown-message zz-00000000 ${address}`);
  });

  it("is not told for another message of the same number", async () => {
    const uid = await deliver("one\r\n");
    const name = await named(uid);
    const other = name.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    assert.equal(
      code(await admin.call("maildrop.message", { address, uidl: other })),
      `unknown-message ${other} ${address}`,
    );
  });
});

describe("undelete", () => {
  const listed = async (name = address): Promise<number> => {
    const page = await admin.call("maildrop.messages", { address: name });
    assert.ok(page.ok);
    return page.value.messages.length;
  };

  it("brings back what a device removed, since a time, or one message", async () => {
    const uids: Uid[] = [];
    for (const text of ["one\r\n", "two\r\n", "three\r\n"]) uids.push(await deliver(text));
    const [one, two, three] = uids;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    const name = await named(three);
    await remove([one], phone);
    await remove([two, three], main);
    const shown = await admin.call("maildrop.show", { address });
    assert.ok(shown.ok);
    const [inbox] = shown.value.mailboxes;
    assert.deepEqual([inbox?.messages, inbox?.removed.messages, inbox?.removed.octets], [0, 3, 17]);
    const restore = (filter: object) => admin.call("maildrop.restore", { address, ...filter });
    assert.equal(code(await restore({ device: "tablet" })), `nothing-to-restore ${address}`);
    assert.equal(code(await restore({ since: Date.now() + 60_000 })), `nothing-to-restore ${address}`);
    assert.deepEqual(await restore({ device: "phone" }), {
      ok: true,
      value: { address, mailbox: "INBOX", restored: 1 },
    });
    assert.deepEqual(await restore({ uidl: name }), { ok: true, value: { address, mailbox: "INBOX", restored: 1 } });
    assert.equal(code(await restore({ uidl: name })), `message-is-gone ${name} ${address}`);
    assert.equal(code(await restore({ uidl: "zz-00000000" })), `unknown-message zz-00000000 ${address}`);
    assert.equal(await listed(), 2);
    assert.deepEqual(await restore({ device: "" }), { ok: true, value: { address, mailbox: "INBOX", restored: 1 } });
    assert.equal(code(await restore({})), `nothing-to-restore ${address}`);
    const detail = "INBOX: 1 message(s)";
    const done = world.events.map(({ fields }) => fields).slice(-3);
    assert.deepEqual(
      done,
      done.map(() => ({ action: "maildrop.restore", subject: address, detail })),
    );
  });

  it("says that a message is where it was, and finds Junk by its name", async () => {
    const name = await named(await deliver("one\r\n"));
    assert.equal(
      code(await admin.call("maildrop.restore", { address, uidl: name })),
      `message-is-here ${name} ${address}`,
    );
    const junk = address.replace("@", "+junk@");
    await remove([await deliver("spam\r\n", undefined, user.junk)], phone, user.junk);
    assert.equal(code(await admin.call("maildrop.restore", { address })), `nothing-to-restore ${address}`);
    const back = await admin.call("maildrop.restore", { address: junk });
    assert.deepEqual(back, { ok: true, value: { address, mailbox: "Junk", restored: 1 } });
    assert.equal(await listed(junk), 1);
  });
});

describe("release", () => {
  it("ends the session that holds a maildrop, and says when there is none", async () => {
    const lost = Promise.withResolvers<void>();
    assert.ok((await world.store.leases.acquire(user.inbox, { waitMs: 0 }, lost.resolve)).ok);
    const release = () => admin.call("maildrop.release", { address });
    assert.deepEqual(await release(), { ok: true, value: { address, mailbox: "INBOX", released: true } });
    await lost.promise;
    assert.equal(world.store.leases.held(user.inbox), false);
    assert.deepEqual(await release(), { ok: true, value: { address, mailbox: "INBOX", released: false } });
  });
});
