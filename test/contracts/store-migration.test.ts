import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { Uid } from "../../src/model/ids.ts";
import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import { openStore } from "../../src/store/open.ts";
import { compileStatement } from "../../src/store/sql/compile.ts";
import { kyselyOver } from "../../src/store/sql/dialect.ts";
import { SCHEMA_VERSION } from "../../src/store/sql/migrations.ts";
import { up } from "../../src/store/sql/migrations/0001-first.ts";
import { SqliteConnection } from "../../src/store/sql/sqlite.ts";
import { openInThread, temporaryFolder } from "./store-adapters.ts";
import { assertConsistent } from "./store-consistency.ts";
import {
  addAccounts,
  content,
  deliver,
  deliverMany,
  deliveryOf,
  eventually,
  memoryBody,
  must,
  uidls,
  uids,
} from "./store-world.ts";

const COLUMNS = {
  domain: "name, created",
  account: "id, address, domain, secret, enabled, quota_octets, quota_messages, created",
  mailbox: "id, account, name, next_uid, messages, octets, octets_downgraded",
  body: "id, segment, offset, octets, crc32, sha256, encoding, dotted, refs",
  message: "mailbox, uid, octets, octets_downgraded, uidl_tag, uidl, body, body_key, received, row_crc",
  removal: "id, mailbox, uids, done",
  segment: "id, live, total, sealed, dead_since",
};

/** Puts the rows of a store into a database as the first release made it. */
async function backToFirst(folder: string): Promise<DatabaseSync> {
  const file = path.join(folder, "mailkeep.db");
  const first = new DatabaseSync(":memory:");
  await up(kyselyOver(new SqliteConnection(first, compileStatement)));
  first.prepare("attach ? as newer").run(file);
  for (const [table, columns] of Object.entries(COLUMNS))
    first.exec(`insert into ${table} (${columns}) select ${columns} from newer.${table}`);
  first.exec(`update high_water set value = (select value from newer.high_water as n where n.name = high_water.name);
    detach newer; create table schema_version (version integer not null) strict;
    insert into schema_version values (1)`);
  return first;
}

function replace(folder: string, database: DatabaseSync): void {
  const file = path.join(folder, "mailkeep.db");
  {
    using old = new DatabaseSync(file);
    old.exec("pragma wal_checkpoint(truncate); pragma journal_mode = delete");
  }
  // Over the old one, so that no log of it is left beside.
  const copy = `${file}.first`;
  database.prepare("vacuum into ?").run(copy);
  fs.renameSync(copy, file);
}

describe("a store of the first release", () => {
  it("P1 P3: keeps all its mail, names and accounts, and carries out what waited to be removed", async () => {
    using temporary = temporaryFolder();
    const { folder } = temporary;
    let before: { accounts: unknown; ann: string[]; bob: string[] };
    {
      await using under = await openInThread({ folder });
      const { store } = under;
      const [ann, bob] = await addAccounts(store, "ann", "bob");
      assert.ok(ann && bob);
      await deliverMany(store, ann, 600);
      must(await store.mail.append(deliveryOf(memoryBody(store, "shared\r\n"), ann, bob)));
      const imported = deliveryOf(memoryBody(store, "imported\r\n"), bob);
      const recipients = imported.recipients.map((recipient) => ({ ...recipient, uidl: "its-name" }));
      must(await store.mail.append({ ...imported, recipients }));
      must(await store.mail.expunge(ann.inbox, Uint32Array.of(3)));
      must(await store.directory.changeAccount(bob.address, { enabled: false, quota: { octets: 9, messages: null } }));
      before = {
        accounts: await store.directory.accounts({ limit: 9 }),
        ann: await uidls(store, ann.inbox),
        bob: await uidls(store, bob.inbox),
      };
    }
    {
      using first = await backToFirst(folder);
      // 500 of ann's messages (uids 10 to 509) were removed, and the program ended before their rows went.
      first.exec(`insert into removal (id, mailbox, uids, done) values (1, 1, x'0af303', -1);
        update high_water set value = 1 where name = 'removal';
        update mailbox set (messages, octets, octets_downgraded) =
          (select count(*), sum(octets), sum(octets_downgraded) from message
           where mailbox = 1 and uid not between 10 and 509) where id = 1`);
      replace(folder, first);
    }
    {
      const store = must(await openStore({ folder, log: silentLog, metrics: testMetrics().metrics }));
      assert.deepEqual(store.schema, { from: 1, to: SCHEMA_VERSION });
      await store[Symbol.asyncDispose]();
    }
    await using under = await openInThread({ folder });
    const { store } = under;
    const accounts = await store.directory.accounts({ limit: 9 });
    assert.deepEqual(accounts, before.accounts);
    const [ann, bob] = accounts;
    assert.ok(ann && bob);
    assert.deepEqual(
      await uidls(store, ann.inbox),
      before.ann.filter((_, index) => index < 8 || index >= 508),
    );
    assert.deepEqual(await uidls(store, bob.inbox), before.bob);
    assert.equal((await content(store, ann.inbox, 601 as Uid)).toString(), "shared\r\n");
    assert.equal((await content(store, bob.inbox, 2 as Uid)).toString(), "imported\r\n");
    assert.equal(await deliver(store, ann, "new\r\n"), 602);
    assertConsistent(folder);
    {
      using sql = new DatabaseSync(path.join(folder, "mailkeep.db"), { readOnly: true });
      const rows = () => sql.prepare("select count(*) as rows from message where mailbox = 1").get()?.["rows"];
      await eventually(() => rows() === 101, "what waited is carried out");
    }
    const nothing = { messages: 0, octets: 0 };
    assert.deepEqual(await store.upkeep.removedUsage(), nothing, "nobody asked to keep what was removed");
    assert.deepEqual(await store.history.entries({ mailbox: ann.inbox, limit: 9, mostUids: 9 }), []);
    const cause = { session: "s", device: "d", peer: "p", kind: "removed", keep: true } as const;
    must(await store.mail.expunge(bob.inbox, Uint32Array.of(1), cause));
    assert.equal(must(await store.mail.restore(bob.inbox, {}, cause)).restored, 1);
    assert.deepEqual(await uids(store, bob.inbox), [2, 3]);
    assertConsistent(folder);
  });
});
