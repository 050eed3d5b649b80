import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { serveControl } from "../admin/control.ts";
import { testServices, type TestServices } from "../admin/testing.ts";
import { parseAddress } from "../model/address.ts";
import { BODY_HEAD_OCTETS } from "../model/body.ts";
import type { Uid } from "../model/ids.ts";
import { typeIn, zh, type Typed } from "./testing.ts";
import { displayWidth } from "./width.ts";

const address = "李雷@b.example";

let server: TestServices;
let control: AsyncDisposable;
before(async () => {
  server = await testServices();
  control = await serveControl({ folder: server.folder, services: server.services });
  for (const [line, stdin] of [
    ["domain add b.example", ""],
    [`user add ${address} --password-stdin`, "main"],
  ] as const) {
    assert.equal((await type(line.split(" "), {}, stdin)).code, 0);
  }
});
after(async () => {
  await control[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function type(words: readonly string[], language: Readonly<Record<string, string>> = {}, stdin = ""): Promise<Typed> {
  const environment = { ...language, MAILKEEP_SERVER__DATA_DIRECTORY: server.folder, TZ: "UTC" };
  return typeIn(server.folder, words, { environment, stdin });
}

/** Where on the screen the columns of a table's lines begin: after each gap of two blanks. */
function columns(table: string): readonly (readonly number[])[] {
  const lines = table.trimEnd().split("\n");
  return lines.map((line) =>
    [...line.matchAll(/ {2,}(?=\S)/g)].map(({ index, 0: gap }) => displayWidth(line.slice(0, index + gap.length))),
  );
}

describe("app-password", () => {
  it("add shows the password alone on a line, and what to enter beside it", async () => {
    const { code, out } = await type([
      "app-password",
      "add",
      address,
      "--name",
      "the phone",
      "--expires",
      "90d",
      "--no-delete",
    ]);
    assert.equal(code, 0);
    const lines = out.split("\n");
    assert.equal(lines[0], `The password of ${address} for the device "the phone":`);
    assert.deepEqual([lines[1], lines[3]], ["", ""]);
    assert.match(lines[2] ?? "", /^ {4}(?:[a-z2-7]{5}-){4}[a-z2-7]{6}$/);
    assert.deepEqual(lines.slice(4, -2), [
      "It is shown this once. Enter it in the mail program, with or without the dashes.",
      `User name       ${address}`,
      "Fetching, POP3  localhost port 1995, SSL/TLS",
      "Fetching, POP3  localhost port 1110, STARTTLS",
      "Sending, SMTP   localhost port 1587, STARTTLS",
      "May             read, not delete, send mail",
    ]);
  });

  it("list lines up, also in Chinese", async () => {
    const made = await type(["app-password", "add", address, "--name", "手机", "--scope", "smtp"], zh);
    assert.match(made.out, /^李雷@b\.example 的设备“手机”的密码：\n\n {4}\S{30}\n\n/);
    for (const language of [{}, zh]) {
      const { out } = await type(["app-password", "list", address], language);
      const [head, ...rows] = columns(out);
      assert.equal(rows.length, 2);
      for (const row of rows) assert.deepEqual(row, head?.slice(0, row.length));
    }
  });

  it("add gives programs the same, and one who asks twice what to type", async () => {
    const { out } = await type(["app-password", "add", address, "--name", "script", "--json"]);
    const made = JSON.parse(out) as { password: string; servers: readonly object[] };
    assert.match(made.password, /^\S{30}$/);
    assert.deepEqual(made.servers[0], { protocol: "pop3", host: "localhost", port: 1995, tls: "implicit" });
    const again = await type(["app-password", "add", address, "--name", "script"]);
    assert.deepEqual(
      [again.code, again.err],
      [
        1,
        `mailkeep: ${address} has a device script already; take its password back first: mailkeep app-password revoke ${address} --name script\n`,
      ],
    );
    const revoked = await type(["app-password", "revoke", address, "--name", "script"], zh);
    assert.equal(revoked.out, `已撤销 ${address} 的设备“script”的密码。\n`);
  });
});

describe("maildrop", () => {
  const phone = { session: "s1", device: "手机", peer: "192.0.2.7" };

  async function remove(): Promise<Uid> {
    const parsed = parseAddress(address);
    assert.ok(parsed.ok);
    const user = await server.store.directory.account(parsed.value);
    assert.ok(user);
    const content = Buffer.from("one\r\n");
    const buffer = new ArrayBuffer(BODY_HEAD_OCTETS + content.length);
    new Uint8Array(buffer).set(content, BODY_HEAD_OCTETS);
    const sha256 = createHash("sha256").update(content).digest();
    const digests = { octets: content.length, crc32: crc32(content), sha256, dotted: false };
    const appended = await server.store.mail.append({
      body: { kind: "memory", buffer, start: BODY_HEAD_OCTETS, ...digests },
      received: Date.now() - 1000,
      octetsDowngraded: content.length,
      recipients: [{ account: user.id, mailbox: user.inbox, quota: null, uidl: "old-1" }],
    });
    assert.ok(appended.ok && appended.value[0]?.ok);
    const uid = appended.value[0].value;
    const cause = { ...phone, kind: "removed", keep: true } as const;
    const { history, mail } = server.store;
    assert.ok((await mail.expunge(user.inbox, Uint32Array.of(uid), cause)).ok);
    // As a protocol thread does: what was fetched is written after what was removed.
    const sent = { account: user.id, mailbox: user.inbox, uid, at: Date.now() - 500, kind: "sent", octets: 5 } as const;
    assert.ok((await history.note([{ ...phone, ...sent }])).ok);
    return uid;
  }

  it("history tells a story from its beginning, in either language", async () => {
    await remove();
    const { out } = await type(["maildrop", "history", address, "--message", "old-1"]);
    assert.match(
      out,
      /^UIDL {6}old-1\nReceived {2}\d{4}-.*\nSize {6}5 B\nNow {7}removed; it can be brought back until \d{4}-/,
    );
    const story = out.slice(out.indexOf("\n\n") + 2);
    assert.deepEqual(
      story
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.slice("2026-11-24 22:13:05".length).trim().replaceAll(/ {2,}/g, "|")),
      ["received", "fetched whole, checksum right|5 B|手机|192.0.2.7|s1", "deleted|手机|192.0.2.7|s1"],
    );
    const chinese = await type(["maildrop", "history", address], zh);
    const [head, ...rows] = columns(chinese.out);
    assert.equal(rows.length, 2);
    assert.match(chinese.out, /已删除 +old-1 [\s\S]*已完整收取，校验和正确 +old-1 +5 B +手机 +192\.0\.2\.7 +s1/);
    assert.equal(rows[0]?.[0], head?.[0]);
  });

  it("history is cut at a number of rows, and says so", async () => {
    const { out } = await type(["maildrop", "history", address, "--limit", "1"]);
    assert.match(out, /\nThese are the newest 1; for more: --limit N\n$/);
    const json = JSON.parse((await type(["maildrop", "history", address, "--json"])).out) as {
      entries: unknown[];
      more: boolean;
    };
    assert.deepEqual([json.entries.length, json.more], [2, false]);
  });

  it("restore says how many came back, and what to do when none does", async () => {
    const shown = await type(["maildrop", "show", address]);
    assert.match(shown.out, /^INBOX +0 +0 B +no +1 +5 B +\d{4}-\d{2}-\d{2} \d{2}:\d{2}$/m);
    const done = await type(["maildrop", "restore", address, "--since", "1h", "--device", "手机"]);
    assert.deepEqual(done, { code: 0, out: `Brought 1 message(s) back to INBOX of ${address}.\n`, err: "" });
    const none = await type(["maildrop", "restore", address], zh);
    assert.deepEqual(none, {
      code: 1,
      out: "",
      err: `mailkeep: 没有符合条件的已删除邮件。查看其去向：mailkeep maildrop history ${address}\n`,
    });
  });

  it("release says whether anybody was there", async () => {
    const { out } = await type(["maildrop", "release", address.replace("@", "+junk@")]);
    assert.equal(out, `Nobody had Junk of ${address} in session.\n`);
  });
});

describe("auth penalties", () => {
  it("are listed and cleared", async () => {
    assert.equal((await type(["auth", "penalties", "list"])).out, "Nobody has to wait.\n");
    const now = server.services.clock.monotonic();
    for (let guess = 0; guess < 12; guess += 1) server.throttle.failed(address, "192.0.2.7", guess, now);
    const { out } = await type(["auth", "penalties", "list"], zh);
    assert.match(out, /^须等待者 .*\n来自该网段的账户 +李雷@b\.example +192\.0\.2\.7 +12 +\d+ 秒$/m);
    const [head, ...rows] = columns(out);
    assert.deepEqual(rows[0]?.slice(0, 2), head?.slice(0, 2));
    assert.equal((await type(["auth", "penalties", "clear", address])).out, "Forgot the failures; 1 wait(s) ended.\n");
    assert.equal((await type(["auth", "penalties", "clear"])).out, "Forgot the failures; 0 wait(s) ended.\n");
  });
});
