import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Result } from "../../src/lib/result.ts";
import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import { DiskError, systemDisk, systemTrees } from "../../src/store/disk.ts";
import { SCHEMA_VERSION } from "../../src/store/sql/migrations.ts";
import type { UpgradeOptions } from "../../src/store/upgrade/upgrade-store.ts";
import { upgradeStore } from "../../src/store/upgrade/upgrade-store.ts";
import type { Upgraded, UpgradeRefusal } from "../../src/store/upgrade/upgraded.ts";
import { fixtureSchemas, layOut, readFixture, type Fixture } from "./earlier/fixture.ts";
import { heldMaildrops } from "./earlier/held.ts";
import { openInThread, temporaryFolder } from "./store-adapters.ts";
import { assertConsistent } from "./store-consistency.ts";
import { addAccount, deliver, eventually, must } from "./store-world.ts";

const OLDEST = 1;
const schemas = fixtureSchemas();
const older = schemas.filter((schema) => schema < SCHEMA_VERSION);

function upgrade(folder: string, options: Partial<UpgradeOptions> = {}): Promise<Result<Upgraded, UpgradeRefusal>> {
  const around = { log: silentLog, metrics: testMetrics().metrics, all: true, progress: () => undefined };
  return upgradeStore({ folder, ...around, ...options });
}

/** The store of a fixture in a folder of its own. */
function laidOut(schema: number): ReturnType<typeof temporaryFolder> & { readonly fixture: Fixture } {
  const temporary = temporaryFolder();
  const fixture = readFixture(schema);
  layOut(fixture, temporary.folder);
  return { ...temporary, fixture };
}

/** All that a folder holds: the tables with their rows, and the other files. */
function contentsOf(folder: string): unknown {
  using database = new DatabaseSync(path.join(folder, "mailkeep.db"));
  const made = database.prepare("select type, name, sql from sqlite_schema order by type, name").all();
  const tables = made.filter(({ type }) => type === "table").map(({ name }) => String(name));
  const rows = tables.map((table) => [table, database.prepare(`select * from ${table}`).all()]);
  const names = fs.readdirSync(folder, { recursive: true }).map(String).toSorted();
  const files = names.filter(
    (name) => fs.statSync(path.join(folder, name)).isFile() && !name.startsWith("mailkeep.db"),
  );
  return {
    made,
    rows,
    files: files.map((name) => [name, fs.readFileSync(path.join(folder, name)).toString("base64")]),
  };
}

/** What a store holds for whoever asks it now. */
async function held(folder: string, fixture: Fixture): Promise<Fixture["maildrops"]> {
  await using under = await openInThread({ folder });
  return await heldMaildrops(under.store, fixture);
}

it("every schema before this program's has a store that was made by its own program", () => {
  const wanted = Array.from({ length: SCHEMA_VERSION - OLDEST }, (_, index) => OLDEST + index);
  assert.deepEqual(older, wanted, "run test/contracts/earlier/make.ts on a checkout of the last commit without it");
  for (const schema of schemas) assert.equal(readFixture(schema).schema, schema);
});

for (const schema of schemas) {
  describe(`a store of schema ${schema}`, () => {
    it("P1 P3: is brought to this program's schema with all its UIDLs, octets and bodies", async () => {
      using there = laidOut(schema);
      const { folder, fixture } = there;
      const steps = new Set<string>();
      const upgraded = must(await upgrade(folder, { progress: ({ step }) => steps.add(step) }));
      assert.deepEqual([upgraded.from, upgraded.to], [schema, SCHEMA_VERSION]);
      if (schema === SCHEMA_VERSION) assert.equal(upgraded.kind, "current");
      else {
        assert.ok(upgraded.kind === "migrated");
        assert.deepEqual([...steps], ["count", "copy", "link", "try", "bodies", "migrate"]);
        assert.deepEqual([upgraded.accounts, upgraded.mailboxes], [4, 8]);
        assert.deepEqual([upgraded.bodiesRead, upgraded.bodiesDamaged], [upgraded.bodies, 0]);
        assert.match(upgraded.digest, /^[0-9a-f]{64}$/);
      }
      assert.equal(fs.existsSync(path.join(folder, "migrate-try")), false);
      assert.deepEqual(await held(folder, fixture), fixture.maildrops);
      assertConsistent(folder);
    });

    it("P1 P3: gives the same when it is simply opened, and carries out what waited", async () => {
      using there = laidOut(schema);
      const { folder, fixture } = there;
      await using under = await openInThread({ folder });
      assert.deepEqual(await heldMaildrops(under.store, fixture), fixture.maildrops);
      using database = new DatabaseSync(path.join(folder, "mailkeep.db"), { readOnly: true });
      const left = () => database.prepare("select count(*) as left from removal").get()?.["left"];
      await eventually(() => left() === 0, "the large removal is carried out");
      assert.deepEqual(await heldMaildrops(under.store, fixture), fixture.maildrops);
      const [ann] = await under.store.directory.accounts({ limit: 1 });
      assert.ok(ann);
      const highest = (await under.store.mail.snapshot(ann.inbox))?.highestUid ?? 0;
      assert.equal(await deliver(under.store, ann, "new\r\n"), highest + 1);
      assertConsistent(folder);
    });
  });
}

describe("an upgrade", () => {
  it("says that there is nothing to do, also a second time, and makes a store where there is none", async () => {
    using temporary = temporaryFolder();
    const made = { kind: "made", from: 0, to: SCHEMA_VERSION };
    assert.deepEqual(must(await upgrade(temporary.folder)), made);
    const current = { kind: "current", from: SCHEMA_VERSION, to: SCHEMA_VERSION };
    for (let round = 0; round < 2; round += 1) assert.deepEqual(must(await upgrade(temporary.folder)), current);
  });

  it("refuses the store of a later program, and leaves it as it is", async () => {
    using temporary = temporaryFolder();
    const { folder } = temporary;
    {
      await using under = await openInThread({ folder });
      await deliver(under.store, await addAccount(under.store, "ann"), "here\r\n");
    }
    {
      using database = new DatabaseSync(path.join(folder, "mailkeep.db"));
      database.exec(`update schema_version set version = ${SCHEMA_VERSION + 1}`);
    }
    const before = contentsOf(folder);
    const refused = await upgrade(folder);
    assert.ok(!refused.ok);
    assert.equal(refused.error.kind, "newer");
    assert.deepEqual(contentsOf(folder), before);
  });

  const faults: Readonly<Record<string, readonly [Partial<UpgradeOptions>, UpgradeRefusal["kind"]]>> = {
    "no room for the copy": [
      { disk: { ...systemDisk, space: () => Promise.resolve({ free: 1_000_000, total: 2 ** 40 }) } },
      "no-room",
    ],
    "a disk that is full in the middle": [{ disk: { ...systemDisk, mkdirSync: fullFor("migrate-try") } }, "full"],
    "a file system without hard links": [
      {
        trees: {
          ...systemTrees,
          linkSync: () => {
            throw new DiskError("failed", "the disk did not give a file a second name: EPERM");
          },
        },
      },
      "no-links",
    ],
    "a body that does not come over": [
      {
        trees: {
          ...systemTrees,
          linkSync: (from, to) => {
            if (from.includes("segments")) fs.writeFileSync(to, "");
            else systemTrees.linkSync(from, to);
          },
        },
      },
      "differs",
    ],
  };
  for (const [what, [options, kind]] of Object.entries(faults)) {
    it(`P1 P8: leaves the store as it was: ${what}`, async () => {
      using there = laidOut(OLDEST);
      const { folder, fixture } = there;
      const before = contentsOf(folder);
      const refused = await upgrade(folder, options);
      assert.ok(!refused.ok);
      assert.equal(refused.error.kind, kind, refused.error.reason);
      assert.deepEqual(contentsOf(folder), before);
      must(await upgrade(folder));
      assert.deepEqual(await held(folder, fixture), fixture.maildrops);
    });
  }

  it("P2: does not do what would take a message away", async () => {
    using there = laidOut(OLDEST);
    const { folder } = there;
    {
      // As a migration with a mistake in it would: it loses a row that it rewrites.
      using database = new DatabaseSync(path.join(folder, "mailkeep.db"));
      database.exec(`create trigger lost after update on schema_version begin
        delete from message where mailbox = 1 and uid = 1; end`);
    }
    const before = contentsOf(folder);
    const refused = await upgrade(folder);
    assert.ok(!refused.ok);
    assert.equal(refused.error.kind, "differs");
    assert.match(refused.error.reason, /^\d+ messages became \d+$/);
    assert.deepEqual(contentsOf(folder), before);
  });

  it("goes on where bodies were damaged before, and says so", async () => {
    using there = laidOut(OLDEST);
    const { folder } = there;
    const segment = path.join(folder, "bodies/segments/00000001");
    const octets = fs.readFileSync(segment);
    octets.writeUInt8(octets.readUInt8(200) ^ 1, 200);
    fs.writeFileSync(segment, octets);
    const upgraded = must(await upgrade(folder));
    assert.ok(upgraded.kind === "migrated");
    assert.equal(upgraded.bodiesDamaged, 1);
  });

  for (const step of ["count", "copy", "link", "try", "bodies", "migrate"]) {
    it(`P1 P3: killed while it is at "${step}", leaves a store that is upgraded the next time`, async () => {
      using there = laidOut(OLDEST);
      const { folder, fixture } = there;
      const script = fileURLToPath(new URL("./store-upgrade-child.ts", import.meta.url));
      const child = spawn(process.execPath, [script, folder, step], { stdio: "inherit" });
      const [, signal] = (await once(child, "exit")) as [number | null, string | null];
      assert.equal(signal, "SIGKILL");
      {
        using database = new DatabaseSync(path.join(folder, "mailkeep.db"));
        const version = database.prepare("select version from schema_version").get()?.["version"];
        assert.equal(version, OLDEST, "nothing was committed");
      }
      const upgraded = must(await upgrade(folder));
      assert.equal(upgraded.kind, "migrated");
      assert.equal(fs.existsSync(path.join(folder, "migrate-try")), false);
      assert.deepEqual(await held(folder, fixture), fixture.maildrops);
    });
  }
});

function fullFor(name: string): (folder: string) => void {
  return (folder) => {
    if (folder.includes(`${name}/bodies`)) throw new DiskError("full", "the disk did not make a folder: ENOSPC");
    systemDisk.mkdirSync(folder);
  };
}
