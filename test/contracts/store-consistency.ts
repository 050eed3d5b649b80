import assert from "node:assert/strict";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BODY_HEAD_OCTETS } from "../../src/model/body.ts";
import { UidSet } from "../../src/store/uid-set.ts";

type Row = Record<string, number>;
type Removal = { mailbox: number; uids: UidSet; keep: number };

/** What must hold of the rows of a store at every moment, whatever was done to it or broke. */
export function assertConsistent(folder: string): void {
  using sql = new DatabaseSync(path.join(folder, "mailkeep.db"), { readOnly: true });
  // All from one moment, though the store goes on.
  sql.exec("begin");
  assertConsistentRows((text) => sql.prepare(text).all());
}

/** The same, by whatever runs SQL; all that it gives has to be of one moment. */
export function assertConsistentRows(query: (text: string) => readonly Record<string, unknown>[]): void {
  const rows = (text: string): Row[] => query(text) as Row[];
  const removals = query("select mailbox, uids, keep from removal").map(
    (row) => ({ ...row, uids: UidSet.decode(row["uids"] as Uint8Array) }) as unknown as Removal,
  );
  assertCounters(rows, removals);
  assertBodies(rows);
  const mailboxes = new Set(rows("select id from mailbox").map((row) => row["id"]));
  for (const table of ["message", "removed", "history"])
    for (const { mailbox = 0 } of rows(`select distinct mailbox from ${table}`)) {
      const goes = removals.some((removal) => removal.mailbox === mailbox && removal.uids.count === 2 ** 32);
      assert.ok(mailboxes.has(mailbox) || goes, `rows of ${table} have their mailbox`);
    }
}

function assertCounters(rows: (text: string) => Row[], removals: readonly Removal[]): void {
  for (const mailbox of rows("select * from mailbox")) {
    const pending = removals.filter((removal) => removal.mailbox === mailbox["id"]);
    const found = { messages: 0, octets: 0, octets_downgraded: 0, removed_messages: 0, removed_octets: 0 };
    for (const row of rows(`select * from message where mailbox = ${mailbox["id"]}`)) {
      const { uid = 0, octets = 0, octets_downgraded = 0 } = row;
      assert.ok(uid < (mailbox["next_uid"] ?? 0), "uids are below the next one");
      const removal = pending.find(({ uids }) => uids.has(uid));
      if (removal === undefined) {
        found.messages += 1;
        found.octets += octets;
        found.octets_downgraded += octets_downgraded;
      } else if (removal.keep === 1) {
        found.removed_messages += 1;
        found.removed_octets += octets;
      }
    }
    for (const { octets = 0 } of rows(`select octets from removed where mailbox = ${mailbox["id"]}`)) {
      found.removed_messages += 1;
      found.removed_octets += octets;
    }
    const { id = 0, account = 0, next_uid = 0 } = mailbox;
    const counters = Object.keys(found).reduce((sum, name) => sum + (mailbox[name] ?? 0), 0);
    assert.equal(mailbox["sum"], id + account + next_uid + counters, `the sum of mailbox ${id}`);
    const counted = Object.fromEntries(Object.keys(found).map((name) => [name, mailbox[name]]));
    assert.deepEqual(counted, found, `the counters of mailbox ${mailbox["id"]}`);
  }
}

/** P8, and that nothing dies before its last reader. */
function assertBodies(rows: (text: string) => Row[]): void {
  const shown = new Map<number, number>();
  for (const { body = 0 } of rows("select body from message union all select body from removed"))
    shown.set(body, (shown.get(body) ?? 0) + 1);
  const bodies = rows("select * from body");
  for (const body of bodies) {
    const { id = 0, segment, offset = 0, octets = 0, crc32 = 0, dotted = 0, refs = 0 } = body;
    assert.equal(body["sum"], id + (segment ?? 0) + offset + octets + crc32 + dotted + refs, `the sum of body ${id}`);
  }
  assert.deepEqual(
    bodies.map(({ id, refs }) => [id, refs]),
    [...shown].toSorted(([one], [other]) => one - other),
    "each body has the references that rows make",
  );
  for (const { id, live } of rows("select id, live from segment")) {
    const within = bodies.filter(({ segment }) => segment === id);
    const octets = within.reduce((sum, body) => sum + (body["octets"] ?? 0) + BODY_HEAD_OCTETS, 0);
    assert.equal(live, octets, `the live octets of segment ${id}`);
  }
}
