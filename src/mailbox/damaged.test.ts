import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ok } from "../lib/result.ts";
import type { Uid } from "../model/ids.ts";
import type { Mail } from "../store/ports.ts";
import { house, opening } from "./testing-house.ts";

/** A house whose store finds these rows damaged. */
function rotten(damaged: readonly number[]) {
  const at = house();
  const { store, parts, ann } = at;
  const asked: number[] = [];
  const damagedRows: Mail["damagedRows"] = (_, after, upTo, limit) => {
    const uids = (store.boxes.get(ann.inbox)?.rows ?? [])
      .map(({ uid }) => uid)
      .filter((uid) => uid > after && uid <= upTo);
    const page = uids.slice(0, limit);
    asked.push(page.length);
    const last = page.length < limit ? undefined : page.at(-1);
    return Promise.resolve({ damaged: page.filter((uid) => damaged.includes(uid)), last });
  };
  const expunge: Mail["expunge"] = async (mailbox, uids, cause) => {
    const bad = [...uids].filter((uid) => uids.length <= 1000 && damaged.includes(uid)) as Uid[];
    const done = await parts.mail.expunge(
      mailbox,
      uids.filter((uid) => !bad.includes(uid as Uid)),
      cause,
    );
    return done.ok && bad.length > 0 ? ok({ ...done.value, damaged: bad }) : done;
  };
  const mailboxes = at.over({ ...parts, mail: { ...parts.mail, damagedRows, expunge } });
  const open = async () => {
    const opened = await mailboxes.openMaildrop(at.owner(ann), opening, () => {});
    assert.ok(opened.ok);
    return opened.value;
  };
  const told = () => at.events.map(({ event, fields }) => [event, (fields as { uidl: string }).uidl]);
  return { ...at, open, asked, told };
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
    const { store, ann, open, told, asked } = rotten([7, 2000]);
    for (let n = 0; n < 2500; n++) store.deliver(ann.inbox, Buffer.from("x"));
    const drop = await open();
    const marked = Uint32Array.from({ length: 2399 }, (_, index) => index + 101);
    assert.deepEqual(await drop.update(marked), ok({ removed: 2398, kept: 1 }));
    assert.deepEqual(asked, [1000, 1000, 399]);
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
