import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { addressOf, install, passwordOf, type Installation } from "./harness/installation.ts";
import { deliver, login } from "./harness/maildrop.ts";
import { Pop3 } from "./harness/pop3.ts";
import { serve, startMailkeep, type Server } from "./harness/server.ts";
import { within } from "./harness/wait.ts";

/*
 * Every command of the operator's interface, on a running server and without one.
 */
const options = { timeout: 240_000 };

/** A command, what it is given, how it ends, and what it must say (on stderr when it fails). */
type Step = { readonly words: string; readonly input?: string; readonly code?: number; readonly says?: RegExp };

const life: readonly Step[] = [
  { words: "config check", says: /ok/i },
  { words: "config show", says: /message_octets .*default/ },
  { words: "config example", says: /^listeners:/m },
  { words: "config schema", says: /"\$schema"/ },
  { words: "domain add second.test", says: /second\.test/ },
  { words: "domain add second.test", code: 1, says: /second\.test/ },
  { words: "domain add not/a/domain", code: 1, says: /not\/a\/domain/ },
  { words: "domain list", says: /second\.test/ },
  { words: "user add new@second.test --password-stdin", input: "first password\n", says: /new@second\.test/ },
  { words: "user add new@second.test --password-stdin", input: "again\n", code: 1, says: /new@second\.test/ },
  { words: "user add empty@second.test --password-stdin", input: "\n", code: 1, says: /empty/ },
  { words: "user add x@nowhere.test --password-stdin", input: "a b\n", code: 1, says: /nowhere\.test/ },
  { words: "user add no-address --password-stdin", input: "a b\n", code: 1, says: /no-address/ },
  { words: "user show new@second.test", says: /new@second\.test/ },
  { words: "user show nobody@second.test", code: 1, says: /nobody@second\.test/ },
  { words: "user list", says: /new@second\.test/ },
  { words: "user password new@second.test --password-stdin", input: "second password\n", says: /new@second\.test/ },
  { words: "user password new@second.test --password-stdin", input: "", code: 1, says: /empty/ },
  { words: "user set new@second.test --quota 5GiB --messages 3", says: /new@second\.test/ },
  { words: "user set new@second.test --quota 5parsecs", code: 2, says: /5parsecs/ },
  { words: "user disable new@second.test", says: /new@second\.test/ },
  { words: "user enable new@second.test", says: /new@second\.test/ },
  { words: "maildrop show new@second.test", says: /INBOX/ },
  { words: "maildrop messages new@second.test" },
  { words: "maildrop show nobody@second.test", code: 1, says: /nobody@second\.test/ },
  { words: "domain remove second.test", code: 1, says: /second\.test/ },
  { words: "user remove new@second.test", says: /new@second\.test/ },
  { words: "user remove new@second.test", code: 1, says: /new@second\.test/ },
  { words: "domain remove second.test", says: /second\.test/ },
  { words: "domain remove second.test", code: 1, says: /second\.test/ },
  { words: "certificate list", says: /localhost/ },
];

/** What a number brings, or nobody: unknown, like any other. */
const unknown = [
  "frobnicate",
  "queue list",
  "cluster status",
  "store copy --to sqlite:x",
  "certificate renew",
  "user list --no-such-option",
  "user show",
  "user show a@e2e.test b@e2e.test",
  "domain add",
];

for (const mode of ["without a server", "on a running server"] as const) {
  test(`the life of a domain and a user, ${mode}`, options, async (t) => {
    await using stack = new AsyncDisposableStack();
    const installation = await install(stack);
    const server = mode === "on a running server" ? await serve(stack, installation) : undefined;
    for (const step of life) await t.test(`${step.words} → ${step.code ?? 0}`, () => take(installation, step));
    if (server === undefined) return;
    // The whole life once more, as a script asks: what was removed can be made again.
    for (const step of life)
      await t.test(`${step.words} --json → ${step.code ?? 0}`, () => takeJson(installation, step));
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });
}

test("migrate and self-signed need no server, and say so when there is one", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack, { users: ["box"] });
  for (const words of [
    "store migrate",
    "store scrub",
    `maildrop scrub ${addressOf("box")}`,
    "certificate self-signed",
  ]) {
    await t.test(words, async () => {
      await take(installation, { words });
      await takeJson(installation, { words });
    });
  }
  const server = await serve(stack, installation);
  const mail = await deliver(server, "box", 1, 1);
  for (const words of [
    "store migrate",
    "store scrub",
    `maildrop scrub ${addressOf("box")}`,
    "certificate self-signed",
  ]) {
    const end = await installation.cli(words.split(" "));
    assert.ok(end.code === 0 || end.code === 1, `${words}: ${end.code} ${end.stderr}`);
  }
  await using session = await login(server, "box");
  assert.equal((await session.stat()).messages, mail.length);
});

test("what is not there yet is unknown, and wrong usage ends with 2", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack);
  for (const words of unknown) {
    await t.test(words, async () => {
      const end = await installation.cli(words.split(" "));
      assert.equal(end.code, 2, end.text + end.stderr);
      assert.equal(end.text, "", "stdout belongs to answers");
      assert.notEqual(end.stderr, "");
    });
  }
  const help = await installation.cli(["--help"]);
  assert.equal(help.code, 0);
  for (const later of ["queue", "cluster"]) assert.doesNotMatch(help.text, new RegExp(`^ +${later}`, "m"));
});

test("what a command changes holds on the running server within a second", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box", "other"] });
  const { installation } = server;
  const user = addressOf("box");

  await t.test("disable cuts sessions and shuts every door", async () => {
    await using session = await login(server, "box");
    await installation.mustCli(["user", "disable", user]);
    await within("the session to be cut", 1, session.wire.closed());
    assert.match(await refusal(server, user, passwordOf("box"), "127.0.0.21"), /^-ERR \[AUTH\]/);
  });
  await t.test("the words are the same for a wrong password and for nobody (P10)", async () => {
    const disabled = await refusal(server, user, passwordOf("box"), "127.0.0.22");
    const wrong = await refusal(server, addressOf("other"), "wrong", "127.0.0.23");
    const nobody = await refusal(server, addressOf("nobody"), "wrong", "127.0.0.24");
    assert.deepEqual([wrong, nobody], [disabled, disabled]);
  });
  await t.test("enable opens them again", async () => {
    await installation.mustCli(["user", "enable", user]);
    await (await login(server, "box")).quit();
  });
  await t.test("a new password is the only one, also for who just logged in with the old", async () => {
    await (await login(server, "box")).quit();
    await installation.mustCli(["user", "password", user, "--password-stdin"], { input: "brand new 密码\n" });
    assert.match(await refusal(server, user, passwordOf("box"), "127.0.0.25"), /^-ERR \[AUTH\]/);
    const session = await Pop3.open(server.ports.pop3s, { tls: "implicit", ca: installation.ca });
    await session.must(`USER ${user}`);
    await session.must(`PASS ${Buffer.from("brand new 密码").toString("latin1")}`);
    await session.quit();
  });
  await t.test("a removed user is gone, with the session that was open", async () => {
    await using session = await login(server, "other");
    await installation.mustCli(["user", "remove", addressOf("other")]);
    await within("the session to be cut", 1, session.wire.closed());
    assert.match(await refusal(server, addressOf("other"), passwordOf("other"), "127.0.0.26"), /^-ERR \[AUTH\]/);
  });
});

test("a quota holds at once", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  await deliver(server, "box", 3, 5);
  await server.installation.mustCli(["user", "set", addressOf("box"), "--messages", "3"]);
  await assert.rejects(deliver(server, "box", 1, 6), /452.*4\.2\.2/s);
  await server.installation.mustCli(["user", "set", addressOf("box"), "--messages", "4"]);
  await deliver(server, "box", 1, 7);
  const shown = await server.installation.mustCli(["maildrop", "messages", addressOf("box"), "--json"]);
  assert.equal((JSON.parse(shown.text) as { messages: unknown[] }).messages.length, 4);
});

test("tables line up with Chinese in them, and speak Chinese", options, async (t: TestContext) => {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack, { users: ["box", "王小明", "ab"] });
  const env = { LANG: "zh_CN.UTF-8" };
  const shown = await installation.mustCli(["user", "list"], { env });
  t.diagnostic(`\n${shown.text}`);
  assert.match(shown.text, /[\u4e00-\u9fff].*\n/, "headings in Chinese");
  assert.match(shown.text, /王小明@e2e\.test/);
  const columns = shown.text.trimEnd().split("\n").map(secondColumn);
  assert.equal(columns.length, 4);
  assert.equal(new Set(columns).size, 1, `the second column begins at one place: ${columns.join(", ")}`);
  const failed = await installation.cli(["user", "show", "nobody@e2e.test"], { env });
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /[\u4e00-\u9fff].*nobody@e2e\.test|nobody@e2e\.test.*[\u4e00-\u9fff]/);
});

async function take(installation: Installation, { words, input = "", code = 0, says = /(?:)/ }: Step): Promise<void> {
  const end = await installation.cli(words.split(" "), { input });
  assert.equal(end.code, code, end.text + end.stderr);
  assert.match(code === 0 ? end.text : end.stderr, says);
  if (code === 0) assert.equal(end.stderr, "", "nothing to complain of");
  else if (code === 1) assert.match(end.stderr, /^mailkeep: .+\n$/, "one clear line");
}

async function takeJson(installation: Installation, { words, input = "", code = 0 }: Step): Promise<void> {
  const end = await installation.cli([...words.split(" "), "--json"], { input });
  assert.equal(end.code, code, end.text + end.stderr);
  // `config example` is YAML whatever is asked for.
  if (code === 0 && words !== "config example") assert.equal(typeof JSON.parse(end.text), "object");
}

/** The words with which a login by POP3S is refused. */
async function refusal(server: Server, user: string, password: string, localAddress: string): Promise<string> {
  const { ca } = server.installation;
  await using session = await Pop3.open(server.ports.pop3s, { tls: "implicit", ca, localAddress });
  await session.must(`USER ${user}`);
  return await session.command(`PASS ${password}`);
}

/** The column of the screen where the second column of a table's line begins; Chinese takes two places. */
function secondColumn(line: string): number {
  const [first = ""] = /^\S+ {2,}/.exec(line) ?? [];
  assert.notEqual(first, "", `two columns in ${JSON.stringify(line)}`);
  return Array.from(first).reduce((width, char) => width + (/[\u2e80-\uffef]/.test(char) ? 2 : 1), 0);
}
