import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { typeIn, zh } from "../../src/cli/testing.ts";
import { displayWidth } from "../../src/cli/width.ts";
import { openInThread, temporaryFolder } from "./store-adapters.ts";
import { addAccount, deliver } from "./store-world.ts";

/** A folder whose store holds three messages of ann. */
async function house() {
  const temporary = temporaryFolder();
  const data = path.join(temporary.folder, "data");
  fs.mkdirSync(data);
  {
    await using under = await openInThread({ folder: data });
    const ann = await addAccount(under.store, "ann");
    for (const text of ["one\r\n", "two\r\n", "three\r\n"]) await deliver(under.store, ann, text);
  }
  const segment = path.join(data, "bodies/segments/00000001");
  const spoil = (): void => {
    const octets = fs.readFileSync(segment);
    octets[66] = (octets[66] ?? 0) ^ 1;
    fs.writeFileSync(segment, octets);
  };
  const rot = (statement: string): void => {
    using sql = new DatabaseSync(path.join(data, "mailkeep.db"));
    sql.exec(statement);
  };
  return { folder: temporary.folder, spoil, rot, [Symbol.dispose]: () => temporary[Symbol.dispose]() };
}

describe("mailkeep store scrub", () => {
  it("says that all is well, ends with 0, and tells it as JSON", async () => {
    using at = await house();
    const { code, out, err } = await typeIn(at.folder, "store scrub --rate 100");
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^Looked at 3 message\(s\) and 3 bodies \(17 B\) in \d+ s\.\nAll is well\.\n$/);
    const json = await typeIn(at.folder, "maildrop scrub ann@example.test --json");
    const { started, ended, address, ...figures } = JSON.parse(json.out) as Record<string, string>;
    assert.deepEqual([json.code, address], [0, "ann@example.test"]);
    assert.ok((started ?? "") <= (ended ?? ""));
    const none = { mailbox: "INBOX", resumed: false, found: 0, mended: 0, findings: [] };
    assert.deepEqual(figures, { ...none, messages: 3, bodies: 3, octets: 17 });
  });

  it("names what is damaged in a table, says what to do next, and ends with 1", async () => {
    using at = await house();
    at.spoil();
    at.rot("update mailbox set octets = 5 where id = 1");
    const { code, out, err } = await typeIn(at.folder, "store scrub");
    assert.deepEqual([code, err], [1, ""]);
    const lines = out.split("\n");
    const row =
      /^ann@example\.test {2}(1-[0-9a-f]{8}) +5 B {2}2023-\d\d-\d\d \d\d:\d\d {2}its octets are not what was delivered {2}no$/;
    assert.match(lines[2] ?? "", /^Maildrop +UIDL +Size +Received +What is wrong +Mended$/);
    assert.match(lines[3] ?? "", row);
    assert.match(lines[5] ?? "", /^What is wrong +Where +Mended$/);
    assert.equal(lines[6], "wrong counters  ann@example.test: octets 5, holds 17  no, can be");
    assert.equal((lines[5] ?? "").indexOf("Mended"), (lines[6] ?? "").indexOf("no, can be"));
    assert.deepEqual(lines.slice(7), [
      "",
      "Found 2 thing(s), mended 0.",
      "What can be mended is mended by: mailkeep store scrub --repair",
      "The messages above stay, and nobody is sent them as good mail. Fetch them from a backup, or ask their senders for them.",
      "",
    ]);
    const mended = await typeIn(at.folder, "store scrub --repair");
    assert.equal(mended.code, 1, "one of them nothing can mend");
    assert.match(mended.out, /Found 2 thing\(s\), mended 1\./);
    assert.match((await typeIn(at.folder, "maildrop scrub ann@example.test")).out, /its octets are not/);
  });

  it("ends with 0 when all that was wrong is mended, and speaks Chinese with columns that line up", async () => {
    using at = await house();
    at.rot("update message set octets = octets + 8 where uid = 2");
    const { code, out } = await typeIn(at.folder, "store scrub --repair", { environment: zh });
    assert.equal(code, 0, out);
    const lines = out.split("\n");
    assert.match(lines[0] ?? "", /^已检查 3 封邮件与 3 个正文（17 B），用时 \d+ 秒。$/);
    const [title = "", row = ""] = lines.slice(2);
    assert.match(row, /^ann@example\.test {2}2-[0-9a-f]{8} .* 该邮件的数据行已损坏 +是$/);
    assert.equal(displayWidth(title.slice(0, title.indexOf("问题"))), displayWidth(row.slice(0, row.indexOf("该"))));
    assert.equal(lines.at(-2), "发现 1 项问题，已修复 1 项。");
    assert.match((await typeIn(at.folder, "store scrub", { environment: zh })).out, /一切正常。/);
  });

  it("refuses a rate that is none, and a maildrop that nobody has", async () => {
    using at = await house();
    for (const rate of ["0", "-3", "fast", "1e9"]) {
      const { code, err } = await typeIn(at.folder, ["store", "scrub", `--rate=${rate}`]);
      assert.equal(code, 2);
      assert.equal(err, `mailkeep: --rate ${rate} is no number of MB above 0\nSee: mailkeep store scrub --help\n`);
    }
    assert.equal((await typeIn(at.folder, "maildrop scrub nobody@example.test")).code, 1);
  });
});
