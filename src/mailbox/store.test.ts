import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { systemClock } from "../lib/clock.ts";
import { err, ok } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address, Domain } from "../model/address.ts";
import { BODY_HEAD_OCTETS, type ReadyBody } from "../model/body.ts";
import { NO_ACTOR } from "../model/history.ts";
import type { Uid } from "../model/ids.ts";
import { recordingLog, testMetrics } from "../observe/testing.ts";
import { openStore } from "../store/open.ts";
import { removeAccount, setEnabled } from "./accounts.ts";
import { createDowngrader } from "./downgrade/downgrade.ts";
import { gatherTransfers } from "./history.ts";
import { createMailboxes } from "./open.ts";
import { expireOld } from "./retention.ts";
import { pull } from "./testing.ts";
import { eraseRemoved, restore } from "./undelete.ts";

/* The room over the real embedded store: what the store in memory is honest about, and what only a disk can show. */

const opening = { peer: { address: "192.0.2.7" }, session: "s1", utf8: true };

async function house() {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "mailkeep-mailbox-"));
  const { log, events } = recordingLog();
  const { metrics } = testMetrics();
  const opened = await openStore({ folder, log, metrics });
  assert.ok(opened.ok);
  const store = opened.value;
  await store.directory.addDomain("example.test" as Domain, 0);
  const made = await store.directory.addAccounts(
    [{ address: "ann@example.test" as Address, secret: "x", enabled: true, quota: { octets: null, messages: null } }],
    0,
  );
  assert.ok(made.ok);
  const [ann] = made.value;
  assert.ok(ann);
  const history = gatherTransfers({ history: store.history, log, metrics });
  const mailboxes = createMailboxes({
    store,
    clock: systemClock,
    log,
    metrics,
    history,
    takeoverSeconds: () => 60,
    undeleteDays: () => 14,
  });
  const owner = {
    account: ann.id,
    address: ann.address,
    mailbox: ann.inbox,
    device: { name: "phone", mark: 7 },
    loginDelaySeconds: 0,
  };
  const deliver = (octets: Buffer) => mailboxes.append(deliveryTo(ann, octets));
  return {
    folder,
    store,
    ann,
    owner,
    mailboxes,
    deliver,
    log,
    events,
    history,
    [Symbol.asyncDispose]: async () => {
      await history[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await fs.rm(folder, { recursive: true });
    },
  };
}

function deliveryTo(account: Account, octets: Buffer) {
  const buffer = new ArrayBuffer(BODY_HEAD_OCTETS + octets.length);
  new Uint8Array(buffer).set(octets, BODY_HEAD_OCTETS);
  const body: ReadyBody = {
    kind: "memory",
    buffer,
    start: BODY_HEAD_OCTETS,
    octets: octets.length,
    crc32: crc32(octets),
    sha256: hash("sha256", octets, "buffer"),
    dotted: /^\./m.test(octets.toString("latin1")),
  };
  const recipients = [{ account: account.id, mailbox: account.inbox, quota: null }];
  return { body, received: 0, octetsDowngraded: downgraded(octets).length, recipients };
}

function downgraded(octets: Buffer): Buffer {
  const converter = createDowngrader();
  return Buffer.concat([converter.push(octets), converter.end()]);
}

test("what was delivered is listed, read octet by octet, and removed by UPDATE alone (P2)", async () => {
  await using rooms = await house();
  const { mailboxes, owner, deliver } = rooms;
  const bodies = [
    Buffer.from("Subject: a\r\n\r\n.dot\r\n"),
    randomBytes(300_000),
    Buffer.alloc(0),
    randomBytes(900_000),
  ];
  for (const body of bodies) assert.equal((await deliver(body)).ok, true);
  const opened = await mailboxes.openMaildrop(owner, opening, () => {});
  assert.ok(opened.ok);
  const drop = opened.value;
  const listing = await drop.listing();
  assert.deepEqual(
    [...listing.octets],
    bodies.map((body) => body.length),
  );
  for (const [index, uid] of listing.uids.entries()) {
    const reader = drop.read(uid as Parameters<typeof drop.read>[0]);
    const { pieces, end } = await pull(reader);
    assert.equal(end, "end");
    assert.ok(Buffer.concat(pieces).equals(bodies[index] ?? assert.fail()));
  }
  assert.deepEqual(
    await mailboxes.openMaildrop({ ...owner, mailbox: rooms.ann.junk }, opening, () => {}).then((one) => one.ok),
    true,
  );
  assert.deepEqual(await drop.update(listing.uids.subarray(0, 2)), ok({ removed: 2 }));
  const again = await mailboxes.openMaildrop(owner, opening, () => {});
  assert.ok(again.ok);
  assert.deepEqual((await again.value.listing()).uids, listing.uids.subarray(2));
  assert.deepEqual(
    rooms.events.filter((one) => one.level === "error"),
    [],
  );
});

test("a flipped bit on the disk is never sent, and the rest is read as before", async () => {
  await using rooms = await house();
  const { mailboxes, owner, deliver, folder } = rooms;
  const marked = Buffer.from(`Subject: b\r\n\r\n${"m".repeat(5000)}\r\n`);
  await deliver(Buffer.from("Subject: a\r\n\r\ngood\r\n"));
  await deliver(marked);
  await flipInFiles(folder, marked.subarray(0, 200));
  const opened = await mailboxes.openMaildrop(owner, opening, () => {});
  assert.ok(opened.ok);
  const drop = opened.value;
  const [good, bad] = [...(await drop.listing()).uids] as Parameters<typeof drop.read>[0][];
  assert.ok(good !== undefined && bad !== undefined);
  assert.deepEqual(await pull(drop.read(bad)), { pieces: [], end: "damaged" });
  assert.equal((await pull(drop.read(good))).end, "end");
  const damaged = rooms.events.filter((one) => one.event === "store.damaged");
  assert.equal(damaged.length, 1);
  assert.partialDeepStrictEqual(damaged[0]?.fields, { account: "ann@example.test", reason: "its checksum is wrong" });
});

test("disabling cuts a session of this thread, removing takes the account with all its mail", async () => {
  await using rooms = await house();
  const { mailboxes, owner, deliver, store, ann } = rooms;
  await deliver(Buffer.from("mail\r\n"));
  const { promise: lost, resolve } = Promise.withResolvers<void>();
  const opened = await mailboxes.openMaildrop(owner, opening, resolve);
  assert.ok(opened.ok);
  assert.equal((await setEnabled(store, ann.address, false)).ok, true);
  await lost;
  assert.deepEqual(await opened.value.update(Uint32Array.of(1)), err("lost"));
  await assert.rejects(mailboxes.openMaildrop(owner, opening, () => {}));
  assert.deepEqual(await removeAccount(store, ann.address), ok({ messages: 1 }));
  assert.equal(await store.directory.account(ann.address), undefined);
});

test("what one device removed comes back under new UIDLs, unseen by an open session, and its story is told", async () => {
  await using rooms = await house();
  const { mailboxes, owner, deliver, store, ann, history } = rooms;
  for (const text of ["one", "two", "three"]) await deliver(Buffer.from(`${text}\r\n`));
  const open = async (name: string) => {
    const device = { name, mark: 7 };
    const opened = await mailboxes.openMaildrop({ ...owner, device }, { ...opening, session: name }, () => {});
    assert.ok(opened.ok);
    return opened.value;
  };
  const phone = await open("phone");
  phone.transferred(1 as Uid, 5, true);
  assert.deepEqual(await phone.update(Uint32Array.of(1)), ok({ removed: 1 }));
  const tablet = await open("tablet");
  assert.deepEqual(await tablet.update(Uint32Array.of(2)), ok({ removed: 1 }));
  await history[Symbol.asyncDispose]();

  const session = await open("phone");
  assert.deepEqual((await store.mail.snapshot(ann.inbox))?.removed, { messages: 2, octets: 10 });
  assert.deepEqual(await restore(store.mail, ann.inbox, { device: "phone" }, NO_ACTOR), ok({ restored: 1 }));
  assert.deepEqual((await session.listing()).uids, Uint32Array.of(3));
  assert.deepEqual(await session.update(Uint32Array.of(3)), ok({ removed: 1 }));
  const next = await open("phone");
  const [uid] = (await next.listing()).uids;
  assert.ok(uid !== undefined && uid > 3);
  assert.deepEqual((await pull(next.read(uid as Uid))).pieces, [Buffer.from("one\r\n")]);
  const told = await store.history.entries({ mailbox: ann.inbox, uid: 1 as Uid, limit: 10, mostUids: 10 });
  // Transfers are written some time later than what is told in the transaction that does it.
  assert.deepEqual(
    told.toSorted((one, other) => one.kind.localeCompare(other.kind)).map((entry) => [entry.kind, entry.session]),
    [
      ["removed", "phone"],
      ["restored", ""],
      ["sent", "phone"],
    ],
  );
  assert.deepEqual(told.find(({ kind }) => kind === "restored")?.newUids, [uid]);
});

test("mail goes by its age, kept for undelete, and is erased when that was long enough", async () => {
  await using rooms = await house();
  const { deliver, store, ann, events } = rooms;
  await deliver(Buffer.from("old\r\n"));
  const time = { now: Date.now() };
  const parts = {
    store,
    upkeep: store.upkeep,
    clock: { ...systemClock, now: () => time.now },
    log: rooms.log,
    metrics: testMetrics().metrics,
    expireDays: () => 30,
    undeleteDays: () => 14,
    freePercent: () => 0,
  };
  const { signal } = new AbortController();
  await expireOld(parts, signal);
  const snapshot = await store.mail.snapshot(ann.inbox);
  assert.deepEqual([snapshot?.messages, snapshot?.removed.messages], [0, 1]);
  await eraseRemoved(parts, signal);
  assert.equal((await store.upkeep.removedUsage()).messages, 1, "not yet");
  time.now += 15 * 86_400_000;
  await eraseRemoved(parts, signal);
  assert.deepEqual(await store.upkeep.removedUsage(), { messages: 0, octets: 0 });
  assert.deepEqual(
    events.map(({ event }) => event).filter((event) => event === "mail.expired" || event === "store.erased"),
    ["mail.expired", "store.erased"],
  );
});

test("without UTF8 a message leaves as it was reckoned at its delivery", async () => {
  await using rooms = await house();
  const { mailboxes, owner, deliver } = rooms;
  const bodies = [Buffer.from("Subject: grüße\r\n\r\nhallo\r\n"), Buffer.from("Subject: x\r\n\r\n.\r\n")];
  for (const body of bodies) await deliver(body);
  const opened = await mailboxes.openMaildrop(owner, { ...opening, utf8: false }, () => {});
  assert.ok(opened.ok);
  const drop = opened.value;
  const { uids, octets } = await drop.listing();
  const sent = await Promise.all(Array.from(uids, (uid) => pull(drop.read(uid as Uid))));
  assert.deepEqual(
    sent.map(({ pieces, end }) => [Buffer.concat(pieces), end]),
    bodies.map((body) => [downgraded(body), "end"]),
  );
  assert.deepEqual(
    [...octets],
    sent.map(({ pieces }) => Buffer.concat(pieces).length),
  );
  assert.equal(
    drop.octets,
    octets.reduce((sum, each) => sum + each),
  );
});

/** Flips one bit behind where these octets stand in some file. */
async function flipInFiles(folder: string, octets: Buffer): Promise<void> {
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const content = await fs.readFile(file);
    const at = content.indexOf(octets);
    if (at < 0) continue;
    const handle = await fs.open(file, "r+");
    await handle.write(Buffer.of((content[at + 100] ?? 0) ^ 1), 0, 1, at + 100);
    await handle.close();
    return;
  }
  assert.fail("the octets are in no file");
}
