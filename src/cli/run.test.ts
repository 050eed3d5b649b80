import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { serveControl } from "../admin/control.ts";
import { testServices, type TestServices } from "../admin/testing.ts";
import { lockFolder } from "../store/lock.ts";
import { commands, groups } from "./commands.ts";
import { typeIn, zh, type Around } from "./testing.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const type = (line: string, around: Around = {}) => typeIn(folder, line, around);

describe("wrong usage", () => {
  for (const [line, says] of [
    ["usr list", "mailkeep: there is no command usr; did you mean user?\nSee: mailkeep --help\n"],
    ["user lst", "mailkeep: there is no command lst; did you mean list?\nSee: mailkeep user --help\n"],
    ["user add", "mailkeep: ADDRESS is missing\nSee: mailkeep user add --help\n"],
    ["user add a b", "mailkeep: there are more words than this command takes\nSee: mailkeep user add --help\n"],
    ["user list --jsn", "mailkeep: there is no option --jsn; did you mean --json?\nSee: mailkeep user list --help\n"],
    [
      "user set a@b.example",
      "mailkeep: nothing to set: give --quota, --messages, --expire-days, --login-delay-seconds or --language\nSee: mailkeep user set --help\n",
    ],
    ["user set a --language fr", "mailkeep: --language fr is none of en, zh-CN\nSee: mailkeep user set --help\n"],
    [
      "user set a --expire-days -1",
      "mailkeep: --expire-days -1 is no whole number; 0 is never\nSee: mailkeep user set --help\n",
    ],
    ["app-password add a", "mailkeep: give the device a name: --name phone\nSee: mailkeep app-password add --help\n"],
    [
      "app-password add a --name x --scope pop3,imap",
      "mailkeep: --scope pop3,imap is none of pop3,smtp; several have commas between them\nSee: mailkeep app-password add --help\n",
    ],
    [
      "app-password add a --name x --expires 2020-01-01",
      "mailkeep: --expires 2020-01-01 is no time to come, such as 90d, 12h or 2027-01-31\nSee: mailkeep app-password add --help\n",
    ],
    [
      "maildrop restore a --since yesterday",
      "mailkeep: --since yesterday is no time, such as 2h, 3d or 2026-11-24 18:00\nSee: mailkeep maildrop restore --help\n",
    ],
    [
      "maildrop history a --limit 0",
      "mailkeep: --limit 0 is no whole number above 0\nSee: mailkeep maildrop history --help\n",
    ],
    [
      "auth penalties lst",
      "mailkeep: there is no command lst; did you mean list?\nSee: mailkeep auth penalties --help\n",
    ],
    ["user set a --quota 5GB", "mailkeep: --quota 5GB is no size such as 5GiB\nSee: mailkeep user set --help\n"],
    ["user set a --messages 0", "mailkeep: --messages 0 is no whole number above 0\nSee: mailkeep user set --help\n"],
    ["user set a --quota", "mailkeep: --quota <SIZE> needs a value\nSee: mailkeep user set --help\n"],
    [
      "user add a@b.example --password x",
      "mailkeep: there is no option --password; did you mean --password-stdin?\nSee: mailkeep user add --help\n",
    ],
    [
      "user add a@b.example",
      "mailkeep: there is no terminal to ask for a password on; use --password-stdin\nSee: mailkeep user add --help\n",
    ],
    ["queue list", "mailkeep: there is no command queue\nSee: mailkeep --help\n"],
    ["store copy", "mailkeep: there is no command copy\nSee: mailkeep store --help\n"],
  ] as const) {
    it(`exits with 2: mailkeep ${line}`, async () => {
      assert.deepEqual(await type(line), { code: 2, out: "", err: says });
    });
  }

  it("is told in Chinese", async () => {
    const { code, err } = await type("user ad", { environment: zh });
    assert.deepEqual([code, err], [2, "mailkeep: 没有命令 ad；是否想写 add？\n参见：mailkeep user --help\n"]);
  });

  it("shows the help where only half a command is typed", async () => {
    for (const line of ["", "user", "auth", "auth penalties"]) {
      const { code, out, err } = await type(line);
      assert.equal(code, 2);
      assert.equal(out, "");
      assert.match(err, /^Usage: mailkeep/);
    }
  });
});

describe("help", () => {
  it("is there for every command, with an example and what every command takes", async () => {
    for (const { path: words, example } of commands) {
      const { code, out } = await type(`${words.join(" ")} --help`);
      assert.equal(code, 0);
      for (const part of [example, "--config <FILE>", "--json", "Usage: mailkeep"]) assert.ok(out.includes(part), part);
    }
    for (const group of Object.keys(groups)) assert.equal((await type(`${group} --help`)).code, 0);
  });

  it("is there in Chinese", async () => {
    const { out } = await type("user set --help", { environment: zh });
    for (const part of ["用法：", "参数：", "选项：", "通用选项：", "示例："]) assert.ok(out.includes(part), part);
    assert.ok(!/Usage|Options|Arguments/.test(out));
  });
});

describe("config", () => {
  it("check says that all is right", async () => {
    assert.deepEqual(await type("config check"), {
      code: 0,
      out: "OK  configuration: no file, the defaults hold\nOK  certificate: none configured, the server makes its own\n",
      err: "",
    });
    writeFileSync(path.join(folder, "m.yaml"), "log: { level: debug }\n");
    const { code, out } = await type("config check --json --config m.yaml");
    assert.deepEqual([code, JSON.parse(out)], [0, { ok: true, file: "m.yaml", certificate: null }]);
  });

  it("check lists everything that is wrong, in either language and as JSON", async () => {
    writeFileSync(path.join(folder, "mailkeep.yaml"), "foo: 1\nlog: { level: loud }\n");
    assert.deepEqual(await type("config check"), {
      code: 1,
      out: "",
      err: [
        "mailkeep.yaml:1:1: foo: unknown key",
        'mailkeep.yaml:2:15: log.level: expected one of debug, info, warn, error; found "loud"',
        "mailkeep: the configuration has 2 problem(s); nothing was done",
        "",
      ].join("\n"),
    });
    assert.match((await type("config check", { environment: zh })).err, /未知的配置项[\s\S]*配置有 2 处问题/);
    const { problems } = JSON.parse((await type("config check --json")).err) as { problems: { key: string }[] };
    assert.deepEqual(
      problems.map(({ key }) => key),
      ["foo", "log.level"],
    );
  });

  it("check names a certificate that cannot be read, where the file names it", async () => {
    writeFileSync(path.join(folder, "mailkeep.yaml"), "tls:\n  certificate: none.pem\n  key: none.key\n");
    const { code, err } = await type("config check");
    assert.equal(code, 1);
    assert.match(err, /^mailkeep\.yaml:2:16: tls\.certificate: .*none\.pem: cannot be read: there is no such file\n/);
  });

  it("show says where each value came from", async () => {
    const environment = { MAILKEEP_SERVER__THREADS: "2", ...zh };
    const { code, out } = await type("config show", { environment });
    assert.equal(code, 0);
    assert.match(out, /^server\.threads +2 +环境变量 MAILKEEP_SERVER__THREADS$/m);
    const rows = JSON.parse((await type("config show --json")).out) as { key: string; value: string | null }[];
    assert.deepEqual(
      rows.find(({ key }) => key === "server.postmaster"),
      { key: "server.postmaster", value: null, source: { kind: "default" } },
    );
  });

  it("example is a file that config check takes, schema is JSON", async () => {
    const { out } = await type("config example");
    writeFileSync(path.join(folder, "mailkeep.yaml"), out);
    assert.equal((await type("config check")).code, 0);
    assert.equal(typeof JSON.parse((await type("config schema")).out), "object");
  });
});

describe("a command without a server", () => {
  it("opens the store itself, from the first domain to the last", async () => {
    const rest = "expire days default, login delay default, language default";
    const lines: readonly (readonly [string, number, string, Around?])[] = [
      ["domain list", 0, "There are no domains yet. Add one: mailkeep domain add example.com\n"],
      [
        "user add a@b.example --password-stdin",
        1,
        "mailkeep: there is no domain b.example here; add it first: mailkeep domain add b.example\n",
        { stdin: "x" },
      ],
      ["domain add b.example", 0, "Added the domain b.example. Next: mailkeep user add NAME@b.example\n"],
      ["user list", 0, "There are no users.\n"],
      ["user add a@b.example --password-stdin", 1, "mailkeep: a password cannot be empty\n", { stdin: "\n" }],
      [
        "user add a@b.example --password-stdin",
        1,
        "mailkeep: this password is not UTF-8; convert it first, for instance with iconv\n",
        { stdin: Buffer.from([0xff, 0xfe, 0x0a]) },
      ],
      ["user add a@b.example --password-stdin", 0, "Added a@b.example.\n", { stdin: "pass word\r\n" }],
      ["user password a@b.example --password-stdin", 0, "The password of a@b.example is set.\n", { stdin: "new" }],
      ["user set a@b.example --quota 5GiB --messages 7", 0, `a@b.example: quota 5.0 GiB, messages 7, ${rest}.\n`],
      ["user set a@b.example --quota default", 0, `a@b.example: quota default, messages 7, ${rest}.\n`],
      ["user disable a@b.example", 0, "a@b.example is disabled; its sessions were cut.\n"],
      ["user enable a@b.example", 0, "a@b.example is enabled.\n"],
      [
        "domain remove b.example",
        1,
        "mailkeep: the domain b.example still has users; see them: mailkeep user list b.example, then remove each: mailkeep user remove ADDRESS\n",
      ],
      ["maildrop messages a@b.example", 0, "INBOX of a@b.example is empty.\n"],
      [
        "user import -",
        0,
        "Imported 1 user(s).\n",
        { stdin: "\uFEFFc@b.example,{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\r\n" },
      ],
      ["user remove a@b.example", 0, "Removed a@b.example and 0 message(s).\n"],
      ["user remove c@b.example --yes", 0, "Removed c@b.example and 0 message(s).\n"],
      ["user show a@b.example", 1, "mailkeep: there is no user a@b.example; see who is there: mailkeep user list\n"],
      ["domain remove b.example", 0, "Removed the domain b.example.\n"],
    ];
    for (const [line, code, says, around] of lines) {
      const typed = await type(line, around);
      assert.deepEqual([typed.code, typed.out + typed.err], [code, says], line);
    }
  });

  it("answers as JSON, also when it fails", async () => {
    assert.deepEqual(JSON.parse((await type("domain add b.example --json")).out), { domain: "b.example" });
    const { code, out, err } = await type("domain add b.example --json");
    assert.deepEqual(
      [code, out, JSON.parse(err)],
      [1, "", { error: "the domain b.example is there already", code: "domain-exists", subject: "b.example" }],
    );
  });

  it("lists every wrong line of an import", async () => {
    await type("domain add b.example");
    const stdin = "a@b.example,{PLAIN}x\nhunter2\nb@b.example,{FOO}x\n";
    const { code, err } = await type("user import -", { stdin });
    assert.equal(code, 1);
    assert.equal(
      err,
      [
        "line 2: expected address,secret; there is no comma",
        "line 3: b@b.example: the secret cannot be taken: the scheme in braces is not known here: set a new password",
        "mailkeep: 2 line(s) cannot be taken; nobody was added",
        "",
      ].join("\n"),
    );
    const gone = await type("user import gone.csv");
    assert.equal(gone.code, 1);
    assert.match(gone.err, /^mailkeep: cannot read gone\.csv: there is no such file\n/);
    writeFileSync(path.join(folder, "latin1.csv"), Buffer.from([0xe4, 0x0a]));
    assert.match((await type("user import latin1.csv")).err, /^mailkeep: cannot read latin1\.csv: it is not UTF-8\n/);
  });

  it("says that a server holds the folder and does not answer", async () => {
    const lock = lockFolder(path.join(folder, "data"));
    assert.ok(lock.ok);
    using held = lock.value;
    const { code, err } = await type("domain list");
    assert.equal(held.folder, path.join(folder, "data"));
    assert.equal(code, 1);
    assert.match(err, /^mailkeep: a server holds .*data and does not answer; it is starting or stopping: try again/);
  });

  it("says that the data folder is a file", async () => {
    writeFileSync(path.join(folder, "data"), "");
    const { code, err } = await type("domain list");
    assert.equal(code, 1);
    assert.match(err, /^mailkeep: .*data is not a folder\./);
  });
});

describe("a command beside a running server", () => {
  let server: TestServices;
  let control: AsyncDisposable;
  before(async () => {
    server = await testServices();
    control = await serveControl({ folder: server.folder, services: server.services });
  });
  after(async () => {
    await control[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  const beside = (around: Around = {}): Around => ({
    ...around,
    environment: { ...around.environment, MAILKEEP_SERVER__DATA_DIRECTORY: server.folder },
  });

  it("is done by that server", async () => {
    assert.equal((await type("domain add b.example", beside())).code, 0);
    assert.deepEqual(await server.store.directory.domains(), ["b.example"]);
    const added = await type("user add 李雷@b.example --password-stdin", beside({ stdin: "x", environment: zh }));
    assert.deepEqual(added, { code: 0, out: "已添加 李雷@b.example。\n", err: "" });
    const { out } = await type("user list", beside({ environment: zh }));
    assert.match(
      out,
      /^地址 {12}状态 {2}容量 {2}邮件数 {2}添加时间\n李雷@b\.example {2}启用 {2}默认 {4}默认 {2}\d{4}-/,
    );
    const shown = await type("user show 李雷@b.example", beside());
    assert.match(shown.out, /^Quota +default \(1000 B\)$/m);
  });
});

describe("serve", () => {
  it("hands over what was read, and gives the server's exit code", async () => {
    writeFileSync(path.join(folder, "m.yaml"), "server: { threads: 3 }\n");
    let seen: unknown;
    const { code } = await type("serve --config m.yaml", {
      serve: async ({ loaded, loadOptions }) => {
        seen = [loaded.config.server.threads, loaded.file, loadOptions.file, loadOptions.directory];
        return 1;
      },
    });
    assert.equal(code, 1);
    assert.deepEqual(seen, [3, "m.yaml", "m.yaml", folder]);
  });

  it("is not begun with a wrong configuration", async () => {
    writeFileSync(path.join(folder, "mailkeep.yaml"), "foo: 1\n");
    const serve = async (): Promise<number> => assert.fail("begun");
    assert.equal((await type("serve", { serve })).code, 1);
  });
});
