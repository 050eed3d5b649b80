import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../lib/clock.ts";
import { err, ok } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address } from "../model/address.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import { type Store, StoreError } from "../store/ports.ts";
import { removeAccount, setEnabled } from "./accounts.ts";
import { createMailboxes, type OpenMaildrop } from "./open.ts";
import { MemoryStore, pull } from "./testing.ts";

function house() {
  const store = new MemoryStore();
  const ann = store.addAccount("ann@example.test" as Address);
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  const parts = {
    directory: store.directory as Store["directory"],
    mail: store.mail,
    bodies: store.bodies as Parameters<typeof createMailboxes>[0]["store"]["bodies"],
    leases: store.leases,
  };
  const mailboxes = createMailboxes({ store: parts, clock: systemClock, log, metrics });
  const lost: string[] = [];
  const owner = (account: Account, mailbox = account.inbox) => ({
    account: account.id,
    address: account.address,
    mailbox,
  });
  const open = async (): Promise<OpenMaildrop> => {
    const opened = await mailboxes.openMaildrop(owner(ann), () => lost.push("lost"));
    assert.ok(opened.ok);
    return opened.value;
  };
  return { store, parts, ann, owner, mailboxes, open, lost, events, sample };
}

describe("open", () => {
  test("shows what is there; what comes later is for the next session", async () => {
    const { store, ann, open } = house();
    store.deliver(ann.inbox, Buffer.alloc(120));
    store.deliver(ann.inbox, Buffer.alloc(200));
    const drop = await open();
    store.deliver(ann.inbox, Buffer.alloc(7));
    assert.deepEqual([drop.messages, drop.octets], [2, 320]);
    assert.deepEqual((await drop.listing()).octets, Uint32Array.of(120, 200));
    assert.equal(await drop.listing(), await drop.listing(), "read once");
  });

  test("P4: one session a maildrop; INBOX and Junk are two", async () => {
    const { ann, owner, mailboxes, open, sample } = house();
    const drop = await open();
    assert.deepEqual(await mailboxes.openMaildrop(owner(ann), () => {}), err("in-use"));
    assert.equal((await mailboxes.openMaildrop(owner(ann, ann.junk), () => {})).ok, true);
    assert.equal(sample('mailkeep_logins_total{outcome="in_use"}'), 1);
    drop.release();
    drop.release();
    await open();
  });

  test("an account that was disabled or removed after its login was judged has no session, and keeps no lease", async () => {
    for (const change of ["disabled", "removed", "made again"] as const) {
      const { store, parts, ann, owner, mailboxes } = house();
      if (change === "disabled") await setEnabled(parts, ann.address, false);
      else await removeAccount(parts, ann.address);
      if (change === "made again") store.addAccount(ann.address);
      await assert.rejects(
        mailboxes.openMaildrop(owner(ann), () => {}),
        StoreError,
      );
      assert.equal(store.leases.held(ann.inbox), false);
    }
  });

  test("a store that cannot be read keeps no lease either", async () => {
    const { store, parts, ann, owner } = house();
    const broken = {
      ...parts,
      mail: { ...parts.mail, snapshot: () => Promise.reject(new StoreError("damaged", "torn page")) },
    };
    const { log } = recordingLog();
    const mailboxes = createMailboxes({ store: broken, clock: systemClock, log, metrics: testMetrics().metrics });
    await assert.rejects(
      mailboxes.openMaildrop(owner(ann), () => {}),
      /torn page/,
    );
    assert.equal(store.leases.held(ann.inbox), false);
  });
});

describe("update", () => {
  test("removes exactly these, gives the lease back, tells the outcome", async () => {
    const { store, ann, open } = house();
    for (let n = 0; n < 4; n++) store.deliver(ann.inbox, Buffer.from("x"));
    const drop = await open();
    store.deliver(ann.inbox, Buffer.from("late"));
    assert.deepEqual(await drop.update(Uint32Array.of(1, 3)), ok({ removed: 2 }));
    assert.equal(store.leases.held(ann.inbox), false);
    assert.deepEqual(await drop.update(Uint32Array.of(2)), err("lost"), "and only once");
    assert.deepEqual((await (await open()).listing()).uids, Uint32Array.of(2, 4, 5));
  });

  test("removes nothing once the lease was lost", async () => {
    const { store, ann, open, lost } = house();
    const uid = store.deliver(ann.inbox, Buffer.from("x"));
    const drop = await open();
    const taken = await store.leases.revoke(ann.inbox);
    assert.deepEqual(lost, ["lost"]);
    assert.deepEqual(await drop.update(Uint32Array.of(uid)), err("lost"));
    assert.equal(taken.held(), true, "the new holder keeps it");
    assert.equal((await store.mail.snapshot(ann.inbox))?.messages, 1);
  });

  test("gives the lease back when the store fails, however it says so", async () => {
    const { store, parts, ann, owner } = house();
    const outcomes: unknown[] = [];
    for (const expunge of [
      () => Promise.resolve(err("full")),
      () => Promise.reject(new StoreError("unavailable", "the store thread is gone")),
    ]) {
      const mail = { ...parts.mail, expunge };
      const { log } = recordingLog();
      const { metrics } = testMetrics();
      const mailboxes = createMailboxes({ store: { ...parts, mail }, clock: systemClock, log, metrics });
      const drop = await mailboxes.openMaildrop(owner(ann), () => {});
      assert.ok(drop.ok);
      outcomes.push(await drop.value.update(Uint32Array.of(1)));
      assert.equal(store.leases.held(ann.inbox), false);
    }
    assert.deepEqual(outcomes, [err("full"), err("failed")]);
  });
});

describe("read", () => {
  test("gives the stored octets", async () => {
    const { store, ann, open } = house();
    const uid = store.deliver(ann.inbox, Buffer.from("Subject: x\r\n\r\nhello\r\n"));
    const reader = (await open()).read(uid);
    assert.deepEqual(await pull(reader), { pieces: [Buffer.from("Subject: x\r\n\r\nhello\r\n")], end: "end" });
  });

  test("tells the operator of damage by account and UIDL, counts it, and reads other mail as before", async () => {
    const { store, ann, open, events, sample } = house();
    const bad = store.deliver(ann.inbox, Buffer.from("bad"), "kept");
    const worse = store.deliver(ann.inbox, Buffer.from("worse"));
    const good = store.deliver(ann.inbox, Buffer.from("good"));
    const drop = await open();
    await drop.listing();
    for (const octets of [...store.octets.values()].slice(0, 2)) octets[0] = 0;
    const outcomes = await Promise.all([bad, worse, good].map((uid) => pull(drop.read(uid))));
    assert.deepEqual(
      outcomes.map(({ pieces, end }) => `${Buffer.concat(pieces).toString()}, ${end}`),
      [", damaged", ", damaged", "good, end"],
    );
    const reason = "its checksum is wrong";
    assert.deepEqual(
      events.map(({ event, fields }) => ({ event, fields })),
      [
        { event: "store.damaged", fields: { account: ann.address, uidl: "kept", reason } },
        { event: "store.damaged", fields: { account: ann.address, uidl: "2-a0000002", reason } },
      ],
    );
    assert.equal(sample("mailkeep_store_damaged_total"), 2);
  });

  test("a disk that does not answer is told apart from damage", async () => {
    const { store, ann, open, events, sample } = house();
    const uid = store.deliver(ann.inbox, Buffer.from("mail"));
    store.disk.failure = new StoreError("unavailable", "EIO");
    assert.equal((await pull((await open()).read(uid))).end, "failed");
    assert.equal(events[0]?.event, "store.unreadable");
    assert.equal(sample("mailkeep_store_damaged_total"), 0);
  });
});

describe("accounts", () => {
  test("disabling cuts the sessions of both maildrops and keeps no lease; enabling cuts none", async () => {
    const { store, parts, ann, owner, mailboxes, open, lost } = house();
    const drop = await open();
    await mailboxes.openMaildrop(owner(ann, ann.junk), () => lost.push("junk lost"));
    assert.equal((await setEnabled(parts, ann.address, true)).ok, true);
    assert.deepEqual(lost, []);
    const changed = await setEnabled(parts, ann.address, false);
    assert.ok(changed.ok);
    assert.equal(changed.value.enabled, false);
    assert.deepEqual(lost, ["lost", "junk lost"]);
    assert.deepEqual(await drop.update(Uint32Array.of(1)), err("lost"));
    assert.equal(store.leases.held(ann.inbox) || store.leases.held(ann.junk), false);
  });

  test("removing cuts sessions first, then all goes at once", async () => {
    const { store, parts, ann, open, lost } = house();
    store.deliver(ann.inbox, Buffer.from("one"));
    store.deliver(ann.junk, Buffer.from("two"));
    await open();
    assert.deepEqual(await removeAccount(parts, ann.address), ok({ messages: 2 }));
    assert.deepEqual(lost, ["lost"]);
    assert.equal(store.boxes.size, 0);
    assert.equal(store.leases.held(ann.inbox) || store.leases.held(ann.junk), false);
    assert.deepEqual(await removeAccount(parts, ann.address), err("unknown"));
    assert.deepEqual(await setEnabled(parts, ann.address, false), err("unknown"));
  });
});

describe("the way in", () => {
  test("one message for several: each has its own outcome, and quotas count INBOX and Junk together", async () => {
    const { store, ann, mailboxes } = house();
    const bob = store.addAccount("bob@example.test" as Address);
    store.deliver(ann.junk, Buffer.alloc(60));
    const text = Buffer.from("hello\r\n");
    const buffer = new ArrayBuffer(64 + text.length);
    new Uint8Array(buffer).set(text, 64);
    const body = {
      kind: "memory",
      buffer,
      start: 64,
      octets: text.length,
      crc32: 0,
      sha256: new Uint8Array(32),
      dotted: false,
    } as const;
    const to = ({ id, inbox }: Account, octets: number | null) => ({
      account: id,
      mailbox: inbox,
      quota: octets === null ? null : { octets, messages: 10 },
    });
    const gone = { ...to(bob, null), mailbox: 999 as typeof bob.inbox };
    const appended = await mailboxes.append({
      body,
      received: 0,
      octetsDowngraded: text.length,
      recipients: [to(ann, 64), to(bob, 64), gone],
    });
    assert.deepEqual(appended, ok([err("over-quota"), ok(1), err("no-mailbox")]));
    assert.deepEqual(await mailboxes.usage(bob.id), { messages: 1, octets: 7 });
  });

  test("room is asked for by the account's own figures, else the defaults", async () => {
    const { store, ann, mailboxes } = house();
    store.deliver(ann.inbox, Buffer.alloc(60));
    const defaults = { octets: 100, messages: 2 };
    assert.equal(await mailboxes.hasRoom(ann, 40, defaults), true);
    assert.equal(await mailboxes.hasRoom(ann, 41, defaults), false);
    assert.equal(await mailboxes.hasRoom({ ...ann, quota: { octets: 50, messages: null } }, 0, defaults), false);
    assert.equal(await mailboxes.hasRoom({ ...ann, quota: { octets: null, messages: 1 } }, 0, defaults), false);
  });
});
