import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { SCHEMA_VERSION } from "../../src/store/sql/migrations.ts";
import { layOut, readFixture } from "./earlier/fixture.ts";
import { lockFolder } from "../../src/store/lock.ts";
import { speak } from "../../src/cli/language.ts";
import { upgradeLine } from "../../src/cli/progress.ts";
import { typeIn, zh } from "../../src/cli/testing.ts";

describe("store migrate", () => {
  let folder = "";
  let data = "";
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep-upgrade-"));
    data = path.join(folder, "data");
    mkdirSync(data);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("tells what it compared, and the second time that there is nothing to do", async () => {
    layOut(readFixture(1), data);
    const { code, out, err } = await typeIn(folder, "store migrate --all");
    assert.deepEqual([code, err], [0, ""]);
    const [first, second, third, ...more] = out.trimEnd().split("\n");
    assert.equal(first, `The store was brought from version 1 to ${SCHEMA_VERSION}.`);
    assert.match(
      second ?? "",
      /^The same before and after: 4 account\(s\), \d+ message\(s\) of [\d.]+ KiB, 0 removed, and all their UIDLs\.$/,
    );
    assert.match(third ?? "", /^Tried first on a copy of [\d.]+ KiB; (\d+) of \1 bodies were read and compared\.$/);
    assert.deepEqual(more, []);
    assert.deepEqual(await typeIn(folder, "store migrate"), {
      code: 0,
      out: `The store has version ${SCHEMA_VERSION}; there is nothing to do.\n`,
      err: "",
    });
  });

  it("answers as JSON, and in Chinese", async () => {
    layOut(readFixture(1), data);
    const { code, out } = await typeIn(folder, "store migrate --json");
    const { digest, octetsCopied, ...told } = JSON.parse(out) as Record<string, unknown>;
    assert.equal(code, 0);
    assert.match(String(digest), /^[0-9a-f]{64}$/);
    assert.ok(Number(octetsCopied) > 0);
    const { kind, from, to, accounts, mailboxes, removed, bodiesDamaged } = told;
    assert.deepEqual(
      { kind, from, to, accounts, mailboxes, removed, bodiesDamaged },
      { kind: "migrated", from: 1, to: SCHEMA_VERSION, accounts: 4, mailboxes: 8, removed: 0, bodiesDamaged: 0 },
    );
    assert.deepEqual(JSON.parse((await typeIn(folder, "store migrate --json")).out), {
      kind: "current",
      from: SCHEMA_VERSION,
      to: SCHEMA_VERSION,
    });
    const { out: chinese } = await typeIn(folder, "store migrate", { environment: zh });
    assert.equal(chinese, `存储已是版本 ${SCHEMA_VERSION}，无需升级。\n`);
  });

  it("makes a store where there is none", async () => {
    const { code, out } = await typeIn(folder, "store migrate");
    assert.deepEqual([code, out], [0, `There was no store; an empty one of version ${SCHEMA_VERSION} was made.\n`]);
  });

  it("exits with 1 and changes nothing where the store is of a later program, or a server holds the folder", async () => {
    await typeIn(folder, "domain add a.example");
    {
      using database = new DatabaseSync(path.join(data, "mailkeep.db"));
      database.exec(`update schema_version set version = ${SCHEMA_VERSION + 1}`);
    }
    for (const line of ["store migrate", "domain list", "store migrate --json"]) {
      const { code, out, err } = await typeIn(folder, line);
      assert.deepEqual([code, out], [1, ""]);
      assert.match(err, new RegExp(`schema ${SCHEMA_VERSION + 1}, this program knows up to ${SCHEMA_VERSION}`));
    }
    {
      using database = new DatabaseSync(path.join(data, "mailkeep.db"));
      database.exec(`update schema_version set version = ${SCHEMA_VERSION}`);
    }
    const lock = lockFolder(data);
    assert.ok(lock.ok);
    using _ = lock.value;
    const { code, err } = await typeIn(folder, "store migrate --json");
    assert.deepEqual([code, (JSON.parse(err) as { code: string }).code], [1, "held"]);
  });
});

describe("the progress of an upgrade", () => {
  function shown(terminal: boolean): {
    line: ReturnType<typeof upgradeLine>;
    at: (ms: number) => void;
    text: () => string;
  } {
    const stderr = Object.assign(new PassThrough(), { isTTY: terminal });
    let time = 0;
    let text = "";
    stderr.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    return { line: upgradeLine(stderr, speak("en"), () => time), at: (ms) => (time = ms), text: () => text };
  }

  it("is silent where all is done within two seconds", () => {
    const { line, at, text } = shown(false);
    line({ step: "count", done: 5, total: 5 });
    line({ step: "copy", done: 0, total: 4096 });
    at(1999);
    line({ step: "migrate", done: 5, total: 5 });
    assert.equal(text(), "");
  });

  it("tells of a long copy before it begins, and of each step now and then", () => {
    const { line, at, text } = shown(false);
    line({ step: "copy", done: 0, total: 64 * 1024 ** 2 });
    at(9000);
    line({ step: "try", done: 1000, total: 3000 });
    line({ step: "try", done: 2000, total: 3000 });
    line({ step: "migrate", done: 3000, total: 3000 });
    assert.deepEqual(text().trimEnd().split("\n"), [
      "copying the database: 0 B of 64.0 MiB",
      "comparing the migrated copy: 1000 of 3000 messages",
      "migrating, comparing: 3000 of 3000 messages",
    ]);
  });

  it("covers on a terminal what a longer text left", () => {
    const { line, at, text } = shown(true);
    at(3000);
    line({ step: "try", done: 1, total: 2 });
    at(4000);
    line({ step: "bodies", done: 1, total: 2 });
    const [, first = "", second = ""] = text().split("\r");
    assert.equal(first.length, second.length);
  });
});
