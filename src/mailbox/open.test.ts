import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { err, ok, type Result } from "../lib/result.ts";
import type { MailboxId, Uid } from "../model/ids.ts";
import { type Mail, StoreError } from "../store/ports.ts";
import { removeAccount, setEnabled } from "./accounts.ts";
import { createDowngrader } from "./downgrade/downgrade.ts";
import { house, opening } from "./testing-house.ts";
import { pull } from "./testing.ts";

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
    assert.deepEqual(await mailboxes.openMaildrop(owner(ann), opening, () => {}), err("in-use"));
    assert.equal((await mailboxes.openMaildrop(owner(ann, ann.junk), opening, () => {})).ok, true);
    assert.equal(sample('mailkeep_logins_total{outcome="in_use"}'), 1);
    drop.release();
    drop.release();
    await open();
  });

  test("a listing that could not be read is asked for again", async () => {
    const { store, parts, over, ann, owner } = house();
    store.deliver(ann.inbox, Buffer.from("mail"));
    const outages = [new StoreError("unavailable", "busy")];
    const listPage: Mail["listPage"] = (...asked) => {
      const outage = outages.pop();
      return outage ? Promise.reject(outage) : parts.mail.listPage(...asked);
    };
    const mailboxes = over({ ...parts, mail: { ...parts.mail, listPage } });
    const drop = await mailboxes.openMaildrop(owner(ann), opening, () => {});
    assert.ok(drop.ok);
    await assert.rejects(drop.value.listing(), /busy/);
    assert.deepEqual((await drop.value.listing()).uids, Uint32Array.of(1));
  });

  test("an account that was disabled or removed after its login was judged has no session, and keeps no lease", async () => {
    for (const change of ["disabled", "removed", "made again"] as const) {
      const { store, parts, ann, owner, mailboxes } = house();
      if (change === "disabled") await setEnabled(parts, ann.address, false);
      else await removeAccount(parts, ann.address);
      if (change === "made again") store.addAccount(ann.address);
      await assert.rejects(
        mailboxes.openMaildrop(owner(ann), opening, () => {}),
        StoreError,
      );
      assert.equal(store.leases.held(ann.inbox), false);
    }
  });

  test("a store that cannot be read keeps no lease either", async () => {
    const { store, parts, over, ann, owner } = house();
    const broken = {
      ...parts,
      mail: { ...parts.mail, snapshot: () => Promise.reject(new StoreError("damaged", "torn page")) },
    };
    const mailboxes = over(broken);
    await assert.rejects(
      mailboxes.openMaildrop(owner(ann), opening, () => {}),
      /torn page/,
    );
    assert.equal(store.leases.held(ann.inbox), false);
  });
});

describe("two sessions of one device", () => {
  test("the same device takes its dead session over, another is told that it is in use", async () => {
    const { store, ann, owner, mailboxes, open, lost, figures } = house();
    const uid = store.deliver(ann.inbox, Buffer.from("x"));
    const dead = await open();
    figures.takeoverSeconds = 0;
    const other = { ...owner(ann), device: { name: "phone", mark: 8 } };
    assert.deepEqual(await mailboxes.openMaildrop(other, opening, () => {}), err("in-use"));
    assert.deepEqual(lost, []);
    const drop = await open();
    assert.deepEqual(lost, ["lost"]);
    assert.deepEqual(await dead.update(Uint32Array.of(uid)), err("lost"));
    dead.release();
    dead.touch();
    assert.deepEqual(await drop.update(Uint32Array.of(uid)), ok({ removed: 1 }), "and it is the only one who acts");
  });

  test("while a session makes progress nobody takes it over", async () => {
    const { mailboxes, ann, owner, open, lost } = house();
    const drop = await open();
    drop.touch();
    assert.deepEqual(await mailboxes.openMaildrop(owner(ann), opening, () => {}), err("in-use"));
    assert.deepEqual(lost, []);
  });
});

describe("LOGIN-DELAY (rule 2449-08)", () => {
  test("holds for who has one, for each maildrop apart, and who comes too early does not restart it", async () => {
    const { ann, owner, parts, over, sample } = house();
    const time = { seconds: 0 };
    const asked: number[] = [];
    const leases = {
      ...parts.leases,
      secondsSinceOpened: (mailbox: MailboxId) => {
        asked.push(mailbox);
        return time.seconds + (parts.leases.secondsSinceOpened(mailbox) < 60 ? 0 : Infinity);
      },
    };
    const mailboxes = over({ ...parts, leases });
    const patient = { ...owner(ann), loginDelaySeconds: 30 };
    const first = await mailboxes.openMaildrop(owner(ann), opening, () => {});
    assert.ok(first.ok);
    first.value.release();
    assert.deepEqual(asked, [], "not asked where there is none");
    time.seconds = 29;
    assert.deepEqual(await mailboxes.openMaildrop(patient, opening, () => {}), err("login-delay"));
    assert.equal(parts.leases.held(ann.inbox), false);
    const junk = await mailboxes.openMaildrop({ ...patient, mailbox: ann.junk }, opening, () => {});
    assert.equal(junk.ok, true);
    time.seconds = 30;
    assert.equal((await mailboxes.openMaildrop(patient, opening, () => {})).ok, true);
    assert.equal(sample('mailkeep_logins_total{outcome="login_delay"}'), 1);
  });
});

describe("without UTF8 (RFC 6856)", () => {
  const written = Buffer.from("Subject: grüße\r\n\r\nhallo\r\n");
  const converter = createDowngrader();
  const converted = Buffer.concat([converter.push(written), converter.end()]);
  const plain = Buffer.from("Subject: x\r\n\r\nplain\r\n");

  test("STAT, LIST and RETR agree in either mode", async () => {
    const { store, ann, open } = house();
    const uids = [
      store.deliver(ann.inbox, plain),
      store.deliver(ann.inbox, written, { octetsDowngraded: converted.length }),
    ];
    for (const [utf8, second] of [
      [true, written],
      [false, converted],
    ] as const) {
      const drop = await open(utf8);
      assert.deepEqual([drop.messages, drop.octets], [2, plain.length + second.length]);
      assert.deepEqual((await drop.listing()).octets, Uint32Array.of(plain.length, second.length));
      for (const [index, body] of [plain, second].entries()) {
        const reader = drop.read(uids[index] ?? assert.fail());
        assert.equal(reader.octets, body.length);
        assert.deepEqual(await pull(reader), { pieces: [body], end: "end" });
      }
      drop.release();
    }
    assert.notDeepEqual(written, converted);
  });
});

describe("history", () => {
  test("each transfer is noted with who took it", async () => {
    const { ann, open, transfers } = house();
    const drop = await open();
    drop.transferred(3 as Uid, 120, true);
    drop.transferred(4 as Uid, 7, false);
    const who = { account: ann.id, mailbox: ann.inbox, session: "s1", device: "phone", peer: "192.0.2.7" };
    assert.deepEqual(transfers, [
      { ...who, uid: 3, at: 1_000_000, kind: "sent", octets: 120 },
      { ...who, uid: 4, at: 1_000_000, kind: "cut", octets: 7 },
    ]);
  });
});

describe("update", () => {
  test("says who removes, and keeps it for undelete where that is configured", async () => {
    const { store, ann, open, figures } = house();
    for (let n = 0; n < 2; n++) store.deliver(ann.inbox, Buffer.from("x"));
    await (await open()).update(Uint32Array.of(1));
    figures.undeleteDays = 0;
    await (await open()).update(Uint32Array.of(2));
    assert.deepEqual(
      store.boxes.get(ann.inbox)?.removed.map(({ row, cause }) => [row.uid, cause]),
      [[1, { session: "s1", device: "phone", peer: "192.0.2.7", kind: "removed", keep: true }]],
    );
  });

  test("holds the maildrop until it is decided, also when its session is gone", async () => {
    const { store, parts, over, ann, owner } = house();
    const decided = Promise.withResolvers<Result<{ removed: number }, never>>();
    const mailboxes = over({ ...parts, mail: { ...parts.mail, expunge: () => decided.promise } });
    const drop = await mailboxes.openMaildrop(owner(ann), opening, () => {});
    assert.ok(drop.ok);
    const updated = drop.value.update(Uint32Array.of(1));
    drop.value.release();
    assert.equal(store.leases.held(ann.inbox), true);
    decided.resolve(ok({ removed: 1 }));
    assert.deepEqual(await updated, ok({ removed: 1 }));
    assert.equal(store.leases.held(ann.inbox), false);
  });

  test("P2: removes exactly these, gives the lease back, tells the outcome", async () => {
    const { store, ann, open } = house();
    for (let n = 0; n < 4; n++) store.deliver(ann.inbox, Buffer.from("x"));
    const drop = await open();
    store.deliver(ann.inbox, Buffer.from("late"));
    assert.deepEqual(await drop.update(Uint32Array.of(1, 3)), ok({ removed: 2 }));
    assert.equal(store.leases.held(ann.inbox), false);
    assert.deepEqual(await drop.update(Uint32Array.of(2)), err("lost"), "and only once");
    assert.deepEqual((await (await open()).listing()).uids, Uint32Array.of(2, 4, 5));
  });

  test("P2 P4: removes nothing once the lease was lost", async () => {
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
    const { store, parts, over, ann, owner } = house();
    const outcomes: unknown[] = [];
    for (const expunge of [
      () => Promise.resolve(err("full")),
      () => Promise.reject(new StoreError("unavailable", "the store thread is gone")),
    ]) {
      const mail = { ...parts.mail, expunge };
      const drop = await over({ ...parts, mail }).openMaildrop(owner(ann), opening, () => {});
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
    const bad = store.deliver(ann.inbox, Buffer.from("bad"), { name: "kept" });
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
