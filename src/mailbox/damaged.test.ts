import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { ok } from "../lib/result.ts";
import type { MailboxId, Uid } from "../model/ids.ts";
import type { Mail } from "../store/ports.ts";
import type { Seen } from "../store/removal-ports.ts";
import { UidSet } from "../store/uid-set.ts";
import { lookAt } from "./damaged.ts";
import { house, opening } from "./testing-house.ts";

/** A house whose store finds these rows damaged. */
function rotten(damaged: readonly number[]) {
  const at = house();
  const { parts, ann } = at;
  const asked: number[] = [];
  const inspect: Mail["inspect"] = async (mailbox, after, upTo, limit) => {
    const page = await parts.mail.inspect(mailbox, after, upTo, limit);
    asked.push(page.uids.length);
    const isSound = (_: number, index: number) => !damaged.includes(page.uids[index] ?? 0);
    const [uids, octets] = [page.uids.filter(isSound), page.octets.filter(isSound)];
    const octetsDowngraded = page.octetsDowngraded.filter(isSound);
    const bad = [...page.uids].filter((uid) => damaged.includes(uid)) as Uid[];
    return { damaged: bad, uids, octets, octetsDowngraded, last: page.last };
  };
  const handedOver: (Seen | undefined)[] = [];
  const expunge: Mail["expunge"] = async (mailbox, uids, cause, seen) => {
    handedOver.push(seen);
    const bad = [...uids].filter((uid) => uids.length <= 1000 && damaged.includes(uid)) as Uid[];
    const done = await parts.mail.expunge(
      mailbox,
      uids.filter((uid) => !bad.includes(uid as Uid)),
      cause,
    );
    return done.ok && bad.length > 0 ? ok({ ...done.value, damaged: bad }) : done;
  };
  const mailboxes = at.over({ ...parts, mail: { ...parts.mail, inspect, expunge } });
  const open = async () => {
    const opened = await mailboxes.openMaildrop(at.owner(ann), opening, () => {});
    assert.ok(opened.ok);
    return opened.value;
  };
  const told = () => at.events.map(({ event, fields }) => [event, (fields as { uidl: string }).uidl]);
  return { ...at, open, asked, told, handedOver };
}

describe("P2: damaged rows", () => {
  test("an UPDATE says how many of the marked messages stay, and tells the operator which", async () => {
    const { store, ann, open, told, sample } = rotten([2]);
    for (let n = 0; n < 3; n++) store.deliver(ann.inbox, Buffer.from("x"));
    const drop = await open();
    await drop.listing();
    assert.deepEqual(await drop.update(Uint32Array.of(1, 2)), ok({ removed: 1, kept: 1 }));
    assert.deepEqual(told(), [["store.damaged", "2-a0000002"]]);
    assert.equal(sample("mailkeep_store_damaged_total"), 1);
  });

  test("a large UPDATE looks at the rows before the store is asked, by the page", async () => {
    const { store, ann, open, told, asked, handedOver } = rotten([7, 2000]);
    for (let n = 0; n < 2500; n++) store.deliver(ann.inbox, Buffer.from("x"));
    const drop = await open();
    const marked = Uint32Array.from({ length: 2399 }, (_, index) => index + 101);
    assert.deepEqual(await drop.update(marked), ok({ removed: 2398, kept: 1 }));
    assert.deepEqual(asked, [1000, 1000, 399]);
    const [seen, ...more] = handedOver;
    assert.ok(seen !== undefined && more.length === 0);
    const { packed, ...weight } = seen;
    assert.deepEqual(weight, { messages: 2398, octets: 2398, octetsDowngraded: 2398, gone: 0 });
    assert.deepEqual(packed.whole, UidSet.of(marked.filter((uid) => uid !== 2000)).encode());
    assert.deepEqual(told(), [["store.damaged", "1jk-00000000"]]);
    assert.equal((await store.mail.snapshot(ann.inbox))?.messages, 102);
  });

  test("where octets are not what was counted, a damaged row explains it and all other mail is had; else nothing is numbered", async () => {
    const row = rotten([2]);
    for (let n = 0; n < 3; n++) row.store.deliver(row.ann.inbox, Buffer.from("x"));
    const drop = await row.open();
    const rows = row.store.boxes.get(row.ann.inbox)?.rows ?? [];
    rows[1] = { ...(rows[1] ?? assert.fail()), place: { ...(rows[1] ?? assert.fail()).place, octets: 65 } };
    assert.deepEqual((await drop.listing()).octets, Uint32Array.of(1, 65, 1));
    assert.deepEqual(row.told(), [["store.damaged", "2-a0000002"]]);
    drop.release();

    const counters = rotten([]);
    counters.store.deliver(counters.ann.inbox, Buffer.from("x"));
    const other = await counters.open();
    const [first] = counters.store.boxes.get(counters.ann.inbox)?.rows ?? [];
    counters.store.boxes.set(counters.ann.inbox, {
      rows: [{ ...(first ?? assert.fail()), place: { ...(first ?? assert.fail()).place, octets: 2 } }],
      removed: [],
      last: 1,
    });
    await assert.rejects(other.listing(), { kind: "damaged" });
    await assert.rejects(other.listing(), { kind: "damaged" }, "and again, however often it is asked");
  });
});

describe("a look at what is to be removed", () => {
  const rowsOf = fc.uniqueArray(fc.integer({ min: 1, max: 12_000 }), { minLength: 1, maxLength: 300 });

  test("says what the sound ones weigh that are there, and steps over what is not asked for", async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, rowsOf, rowsOf, fc.integer({ min: 1, max: 40 }), async (there, asked, bad, page) => {
        const rows = there.toSorted((a, b) => a - b);
        const isSound = (uid: number) => !bad.includes(uid);
        const inspect: Mail["inspect"] = (_, after, upTo, limit) => {
          const found = rows.filter((uid) => uid > after && uid <= upTo).slice(0, Math.min(limit, page));
          const uids = Uint32Array.from(found.filter(isSound));
          return Promise.resolve({
            damaged: found.filter((uid) => !isSound(uid)) as Uid[],
            uids,
            octets: uids.map((uid) => uid * 3),
            octetsDowngraded: uids.map((uid) => uid * 3 + 1),
            last: found.length < Math.min(limit, page) ? undefined : (found.at(-1) as Uid),
          });
        };
        const wanted = Uint32Array.from(asked.toSorted((a, b) => a - b));
        const look = await lookAt({ inspect }, 1 as MailboxId, wanted);
        const weighed = [...wanted].filter((uid) => there.includes(uid) && isSound(uid));
        const octets = weighed.reduce((sum, uid) => sum + uid * 3, 0);
        const weight = { messages: weighed.length, octets, octetsDowngraded: octets + weighed.length };
        const { packed, ...found } = look.seen;
        assert.deepEqual(found, weight);
        assert.deepEqual(packed.whole, UidSet.of(Uint32Array.from(weighed)).encode());
        const damaged = [...wanted].filter((uid) => there.includes(uid) && !isSound(uid));
        assert.deepEqual(
          look.damaged.toSorted((a, b) => a - b),
          damaged,
        );
        assert.deepEqual(
          [...look.sound],
          [...wanted].filter((uid) => !damaged.includes(uid)),
        );
      }),
      { numRuns: 60 },
    );
  });
});
