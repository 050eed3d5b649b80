import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { Domain } from "../../src/model/address.ts";
import type { Uid } from "../../src/model/ids.ts";
import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import type { Disk } from "../../src/store/disk.ts";
import { systemDisk } from "../../src/store/disk.ts";
import { openStore } from "../../src/store/open.ts";
import { SCHEMA_VERSION } from "../../src/store/sql/migrations.ts";
import { openInThread, temporaryFolder } from "./store-adapters.ts";
import { addAccount, content, deliver, deliverMany, must, uids } from "./store-world.ts";

/** A store that was used and closed; `change` may then do to its files what it likes. */
async function closedStore(folder: string, messages = 3): Promise<{ database: string }> {
  await using under = await openInThread({ folder });
  const ann = await addAccount(under.store, "ann");
  await deliverMany(under.store, ann, messages);
  return { database: path.join(folder, "mailkeep.db") };
}

async function refusal(folder: string) {
  const opened = await openStore({ folder, log: silentLog, metrics: testMetrics().metrics });
  if (opened.ok) await opened.value[Symbol.asyncDispose]();
  assert.equal(opened.ok, false);
  return opened.ok ? undefined : opened.error;
}

describe("opening a store", () => {
  it("makes one where there is none, and migrates only what is older", async () => {
    using temporary = temporaryFolder();
    const { folder } = temporary;
    for (const from of [0, SCHEMA_VERSION]) {
      await using store = must(await openStore({ folder, log: silentLog, metrics: testMetrics().metrics }));
      assert.deepEqual(store.schema, { from, to: SCHEMA_VERSION });
      for (const name of fs.readdirSync(folder))
        assert.equal(fs.statSync(path.join(folder, name)).mode & 0o077, 0, name);
    }
  });

  it("P1: empties the log of a crash into the database before anything is acknowledged", async () => {
    using temporary = temporaryFolder();
    using crashed = temporaryFolder();
    {
      await using under = await openInThread({ folder: temporary.folder });
      await deliverMany(under.store, await addAccount(under.store, "ann"), 3);
      fs.cpSync(temporary.folder, crashed.folder, { recursive: true });
    }
    const log = path.join(crashed.folder, "mailkeep.db-wal");
    assert.ok(fs.statSync(log).size > 0);
    await using under = await openInThread({ folder: crashed.folder });
    // Its sweep writes again, but hardly anything.
    assert.ok(fs.statSync(log).size < 40_000, `the log has ${fs.statSync(log).size} octets`);
    using sql = new DatabaseSync(path.join(crashed.folder, "mailkeep.db"), { readOnly: true });
    assert.equal(sql.prepare("select count(*) as messages from message").get()?.["messages"], 3);
    assert.equal((await under.store.directory.accounts({ limit: 9 })).length, 1);
  });

  it("P1: makes the log of a crash durable before it is used: its sync may have failed", async () => {
    using temporary = temporaryFolder();
    using crashed = temporaryFolder();
    const log = path.join(crashed.folder, "mailkeep.db-wal");
    await closedStore(temporary.folder, 300);
    let onDisk: Buffer;
    {
      await using under = await openInThread({ folder: temporary.folder });
      must(await under.store.directory.addDomain("other.example" as Domain, 1));
      onDisk = fs.readFileSync(path.join(temporary.folder, "mailkeep.db-wal"));
      const [ann] = await under.store.directory.accounts({ limit: 1 });
      assert.ok(ann);
      // What the kernel shows of these is not on disk, and no sync will say so any more.
      await deliverMany(under.store, ann, 300);
      fs.cpSync(temporary.folder, crashed.folder, { recursive: true });
    }
    let written = Buffer.alloc(0);
    const isLog = (file: number): boolean => fs.readlinkSync(`/proc/self/fd/${file}`) === fs.realpathSync(log);
    const disk: Disk = {
      ...systemDisk,
      writevSync: (file, pieces, position) => {
        systemDisk.writevSync(file, pieces, position);
        if (isLog(file)) written = Buffer.concat([written.subarray(0, position), ...pieces]);
      },
      fdatasyncSync: (file) => {
        systemDisk.fdatasyncSync(file);
        if (isLog(file)) onDisk = written;
      },
    };
    using cut = temporaryFolder();
    {
      await using under = await openInThread({ folder: crashed.folder, disk });
      assert.equal((await under.store.directory.domains()).length, 2);
      // As when the power goes once the log is copied into the database, before it is begun anew.
      fs.cpSync(crashed.folder, cut.folder, { recursive: true });
      fs.writeFileSync(path.join(cut.folder, "mailkeep.db-wal"), onDisk);
    }
    await using under = await openInThread({ folder: cut.folder });
    assert.equal((await under.store.directory.domains()).length, 2);
    const [ann] = await under.store.directory.accounts({ limit: 1 });
    assert.ok(ann);
    assert.ok((await uids(under.store, ann.inbox)).length >= 300);
  });

  it("refuses a store that a later program made, and leaves it as it is", async () => {
    using temporary = temporaryFolder();
    const { database } = await closedStore(temporary.folder);
    using sql = new DatabaseSync(database);
    sql.exec(`update schema_version set version = ${SCHEMA_VERSION + 1}`);
    const refused = await refusal(temporary.folder);
    assert.equal(refused?.kind, "newer");
    assert.match(refused?.reason ?? "", new RegExp(`schema ${SCHEMA_VERSION + 1}.*up to ${SCHEMA_VERSION}`));
    sql.exec(`update schema_version set version = ${SCHEMA_VERSION}`);
    await using under = await openInThread({ folder: temporary.folder });
    assert.equal((await under.store.directory.accounts({ limit: 9 })).length, 1);
  });

  it("refuses a database that was cut short, is none, or is another program's", async () => {
    for (const damage of [
      (file: string) => fs.truncateSync(file, 20_000),
      (file: string) => fs.truncateSync(file, fs.statSync(file).size - 100),
      (file: string) => fs.truncateSync(file, 0),
      (file: string) => fs.rmSync(file),
      (file: string) => fs.writeFileSync(file, "this is no database".repeat(100)),
      (file: string) => {
        fs.rmSync(file);
        using other = new DatabaseSync(file);
        other.exec("create table cookies (id integer)");
      },
    ]) {
      using temporary = temporaryFolder();
      const { database } = await closedStore(temporary.folder, 400);
      const bodies = fs.readdirSync(path.join(temporary.folder, "bodies/segments"));
      damage(database);
      const refused = await refusal(temporary.folder);
      assert.equal(refused?.kind, "damaged", String(damage));
      assert.deepEqual(fs.readdirSync(path.join(temporary.folder, "bodies/segments")), bodies);
    }
  });

  it("refuses a database that is older than its bodies, and removes none of them", async () => {
    using temporary = temporaryFolder();
    const { folder } = temporary;
    const { database } = await closedStore(folder);
    const older = fs.readFileSync(database);
    for (let round = 0; round < 2; round += 1) {
      await using under = await openInThread({ folder });
      const [ann] = await under.store.directory.accounts({ limit: 1 });
      assert.ok(ann);
      await deliver(under.store, ann, "later\r\n");
    }
    fs.writeFileSync(database, older);
    const refused = await refusal(folder);
    assert.equal(refused?.kind, "damaged");
    assert.match(refused?.reason ?? "", /older/);
    assert.equal(fs.readdirSync(path.join(folder, "bodies/segments")).length, 3);
  });

  it("looks for damage after a crash", async () => {
    using temporary = temporaryFolder();
    const { database } = await closedStore(temporary.folder, 900);
    const file = fs.openSync(database, "r+");
    const pages = fs.statSync(database).size / 4096;
    for (let page = 12; page < pages; page += 1) fs.writeSync(file, Buffer.alloc(2000, 0xee), 0, 2000, page * 4096);
    fs.closeSync(file);
    fs.writeFileSync(`${database}-wal`, "a log left behind");
    assert.equal((await refusal(temporary.folder))?.kind, "damaged");
  });

  it("refuses a folder that is not there or where a file stands in the way", async () => {
    using temporary = temporaryFolder();
    assert.equal((await refusal(path.join(temporary.folder, "gone")))?.kind, "failed");
    fs.writeFileSync(path.join(temporary.folder, "bodies"), "in the way");
    assert.equal((await refusal(temporary.folder))?.kind, "failed");
  });

  it("removes what no row names, and nothing else", async () => {
    using temporary = temporaryFolder();
    const { folder } = temporary;
    await closedStore(folder);
    const at = (...name: string[]) => path.join(folder, "bodies", ...name);
    fs.mkdirSync(at("files/05"), { recursive: true });
    for (const name of ["files/05/5", "spool/left", "files/05/readme", "segments/note"])
      fs.writeFileSync(at(name), "x");
    await using under = await openInThread({ folder });
    const left = fs.readdirSync(at(), { recursive: true }).map(String).toSorted();
    assert.deepEqual(
      left.filter((name) => name.includes("/") && !name.endsWith("05")),
      ["files/05/readme", "segments/00000001", "segments/note"],
    );
    const [ann] = await under.store.directory.accounts({ limit: 1 });
    assert.ok(ann);
    assert.deepEqual(await uids(under.store, ann.inbox), [1, 2, 3]);
  });

  it("carries on removals that the last run left, and ends segments that were open", async () => {
    using temporary = temporaryFolder();
    const { folder } = temporary;
    const { database } = await closedStore(folder, 3);
    {
      using sql = new DatabaseSync(database);
      sql.exec(
        `insert into removal (id, mailbox, uids, done) values (1, 1, x'0201', -1);
        update mailbox set messages = messages - 2, "sum" = "sum" - 2 where id = 1`,
      );
      sql.exec("update segment set sealed = 0");
    }
    await using under = await openInThread({ folder });
    const [ann] = await under.store.directory.accounts({ limit: 1 });
    assert.ok(ann);
    assert.deepEqual(await uids(under.store, ann.inbox), [1]);
    await under.store.upkeep.state();
    await deliver(under.store, ann, "new\r\n");
    using sql = new DatabaseSync(database, { readOnly: true });
    assert.deepEqual(
      sql
        .prepare("select uid from message")
        .all()
        .map((row) => row["uid"]),
      [1, 4],
    );
    assert.equal(sql.prepare("select count(*) as left from removal").get()?.["left"], 0);
    assert.equal((await content(under.store, ann.inbox, 4 as Uid)).toString(), "new\r\n");
  });

  it("never takes a damaged row for another message", async () => {
    using temporary = temporaryFolder();
    await using under = await openInThread({ folder: temporary.folder });
    const ann = await addAccount(under.store, "ann");
    await deliverMany(under.store, ann, 6);
    using sql = new DatabaseSync(path.join(temporary.folder, "mailkeep.db"));
    sql.exec("update message set body = 2 where uid = 1; update message set octets = 5 where uid in (2, 6)");
    sql.exec("delete from body where id = 3");
    for (const uid of [1, 2, 3, 6]) {
      await assert.rejects(under.store.mail.locate(ann.inbox, uid as Uid), { name: "StoreError", kind: "damaged" });
    }
    assert.equal((await content(under.store, ann.inbox, 4 as Uid)).toString(), "message 3\r\n");
    // A damaged row behind is told to who asks for that very message.
    const located = await under.store.mail.locateFrom(ann.inbox, 4 as Uid, 9);
    assert.deepEqual(
      located.map((message) => message.uid),
      [4, 5],
    );
  });
});
