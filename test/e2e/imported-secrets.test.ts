import assert from "node:assert/strict";
import { test } from "node:test";
import { domain } from "./harness/configuration.ts";
import { importUsers, install } from "./harness/installation.ts";
import { Pop3 } from "./harness/pop3.ts";
import { mustRun } from "./harness/process.ts";
import { serve } from "./harness/server.ts";

const password = "Kennwort 密码 1";
const wire = Buffer.from(password).toString("latin1");

/** A secret as another program's database holds it, made by that program. */
type Maker = () => Promise<string>;

const openssl =
  (scheme: string, option: string): Maker =>
  async () => {
    const { text } = await mustRun("openssl", ["passwd", option, "-stdin"], { input: `${password}\n` });
    return `${scheme}${text.trim()}`;
  };
const doveadm =
  (scheme: string, ...more: string[]): Maker =>
  async () => {
    const { text } = await mustRun("doveadm", ["-O", "pw", "-s", scheme, ...more, "-p", password]);
    return text.trim();
  };

const makers: Readonly<Record<string, Maker>> = {
  plain: async () => `{PLAIN}${password}`,
  "sha512-crypt": openssl("{SHA512-CRYPT}", "-6"),
  "sha512-crypt-bare": openssl("", "-6"),
  "sha256-crypt": openssl("{SHA256-CRYPT}", "-5"),
  "md5-crypt": openssl("{MD5-CRYPT}", "-1"),
  "crypt-6": openssl("{CRYPT}", "-6"),
  ssha512: doveadm("SSHA512"),
  ssha256: doveadm("SSHA256"),
  ssha: doveadm("SSHA"),
  sha512: doveadm("SHA512"),
  sha256: doveadm("SHA256"),
  "blf-crypt": doveadm("BLF-CRYPT"),
  argon2id: doveadm("ARGON2ID", "-r", "3"),
  argon2i: doveadm("ARGON2I", "-r", "3"),
  "argon2id-bare": async () => (await doveadm("ARGON2ID", "-r", "3")()).replace("{ARGON2ID}", ""),
  pbkdf2: doveadm("PBKDF2"),
};

test("secrets of other mail servers are imported and log in by POP3S", { timeout: 180_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack);
  await installation.mustCli(["domain", "add", domain]);
  for (const [name, make] of Object.entries(makers)) {
    await t.test(`import of ${name}`, async () => {
      await importUsers(installation, [[`${name}@${domain}`, await make()]]);
    });
  }
  const server = await serve(stack, installation);
  const secure = { tls: "implicit", ca: installation.ca } as const;
  for (const [index, name] of Object.keys(makers).entries()) {
    await t.test(`login with ${name}`, async () => {
      await (await Pop3.login(server.ports.pop3s, `${name}@${domain}`, wire, secure)).quit();
      // A wrong password is refused, from an address of its own each time: many wrong ones from one place are slowed.
      await using session = await Pop3.open(server.ports.pop3s, { ...secure, localAddress: `127.0.2.${index + 1}` });
      await session.must(`USER ${name}@${domain}`);
      assert.match(await session.command(`PASS ${wire}2`), /^-ERR \[AUTH\]/);
    });
  }
});

test("an import is all or nothing, and names the line", { timeout: 60_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack);
  await installation.mustCli(["domain", "add", domain]);
  const bad: Readonly<Record<string, string>> = {
    "no address": `nobody,{PLAIN}a`,
    "unknown scheme": `x@${domain},{ROT13}nccyr`,
    "no secret": `x@${domain},`,
    "empty password": `x@${domain},{PLAIN}`,
    "another domain": `x@elsewhere.test,{PLAIN}a`,
    "twice in the file": `one@${domain},{PLAIN}a`,
    "no comma": "what is this",
    "broken hash": `x@${domain},{SHA512-CRYPT}$6$short`,
  };
  for (const [name, line] of Object.entries(bad)) {
    const input = `one@${domain},{PLAIN}a b c\ntwo@${domain},{PLAIN}d\n${line}\nthree@${domain},{PLAIN}e\n`;
    const end = await installation.cli(["user", "import", "-"], { input });
    assert.equal(end.code, 1, `${name}: ${end.text}${end.stderr}`);
    assert.match(end.stderr, /\b(line 3|:3)\b/, `${name} names its line: ${end.stderr}`);
    assert.doesNotMatch(end.stderr, /a b c|nccyr/, "secrets stay secret");
    const listed = await installation.mustCli(["user", "list", "--json"]);
    assert.deepEqual((JSON.parse(listed.text) as { users: unknown[] }).users, [], `${name}: nothing was imported`);
  }
});
