import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, install, passwordOf, type Installation } from "./harness/installation.ts";
import { deliver, login } from "./harness/maildrop.ts";
import { Pop3 } from "./harness/pop3.ts";
import { serve, startMailkeep, type Server } from "./harness/server.ts";
import { until, within } from "./harness/wait.ts";

/*
 * The commands for devices, proof of transfer, undelete, sessions and penalties, on a running server and without one.
 */
const options = { timeout: 240_000 };

type Step = { readonly words: string; readonly code?: number; readonly says: RegExp };

const life: readonly Step[] = [
  { words: "app-password list box@e2e.test", says: /no app passwords/ },
  { words: "app-password add box@e2e.test --name phone --scope pop3 --no-delete --expires 90d", says: /^ {4}\S{30}$/m },
  {
    words: "app-password add box@e2e.test --name phone",
    code: 1,
    says: /app-password revoke box@e2e\.test --name phone/,
  },
  { words: "app-password add box@e2e.test", code: 2, says: /--name/ },
  { words: "app-password add box@e2e.test --name x --scope imap", code: 2, says: /imap/ },
  { words: "app-password add nobody@e2e.test --name x", code: 1, says: /nobody@e2e\.test/ },
  { words: "app-password list box@e2e.test", says: /^phone +pop3 +read, not delete +\d{4}-/m },
  { words: "app-password revoke box@e2e.test --name tablet", code: 1, says: /tablet.*app-password list box@e2e\.test/ },
  { words: "app-password revoke box@e2e.test --name phone", says: /phone/ },
  { words: "user set box@e2e.test --expire-days 30 --login-delay-seconds 2 --language zh-CN", says: /30.*zh-CN/ },
  { words: "user set box@e2e.test --language fr", code: 2, says: /fr/ },
  { words: "user show box@e2e.test", says: /30 days[\s\S]*zh-CN/ },
  { words: "user set box@e2e.test --expire-days default --login-delay-seconds default", says: /default/ },
  { words: "user set box@e2e.test --language default", says: /default/ },
  { words: "maildrop history box@e2e.test", says: /Nothing is known/ },
  { words: "maildrop history box@e2e.test --message zz-00000000", code: 1, says: /zz-00000000/ },
  { words: "maildrop history box@e2e.test --limit x", code: 2, says: /x/ },
  { words: "maildrop restore box@e2e.test --since 2h", code: 1, says: /maildrop history box@e2e\.test/ },
  { words: "maildrop restore box@e2e.test --since soon", code: 2, says: /soon/ },
  { words: "maildrop release box@e2e.test", says: /Nobody/ },
  { words: "maildrop show box+junk@e2e.test", says: /Removed/ },
  { words: "auth penalties list", says: /Nobody has to wait|No server is running/ },
  { words: "auth penalties clear", says: /Forgot|No server is running/ },
  { words: "auth penalties clear 1.2.3.4/40", code: 1, says: /1\.2\.3\.4\/40/ },
];

for (const mode of ["without a server", "on a running server"] as const) {
  test(`every command says what it did, ${mode}`, options, async (t) => {
    await using stack = new AsyncDisposableStack();
    const installation = await install(stack, { users: ["box"] });
    const server = mode === "on a running server" ? await serve(stack, installation) : undefined;
    for (const { words, code = 0, says } of life) {
      await t.test(words, async () => {
        const end = await installation.cli(words.split(" "));
        assert.equal(end.code, code, end.text + end.stderr);
        assert.match(code === 0 ? end.text : end.stderr, says);
        assert.equal(code === 0 ? end.stderr : end.text, "");
      });
    }
    if (server === undefined) return;
    // Once more, as a script asks.
    for (const { words, code = 0 } of life) {
      await t.test(`${words} --json`, async () => {
        const end = await installation.cli([...words.split(" "), "--json"]);
        assert.equal(end.code, code, end.text + end.stderr);
        assert.equal(typeof JSON.parse(code === 0 ? end.text : end.stderr), "object");
      });
    }
  });
}

test("a device logs in with its own password, as far as that goes", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const { installation } = server;
  await deliver(server, "box", 2, 11);
  const reader = await makeDevice(installation, "reader", "--scope", "pop3", "--no-delete");
  const sender = await makeDevice(installation, "sender", "--scope", "smtp");

  await t.test("with or without the dashes, in any case", async () => {
    for (const form of [reader, reader.replaceAll("-", ""), reader.toUpperCase()]) {
      await (await open(server, form)).quit();
    }
  });
  await t.test("one without the right to remove reads, and is told why it may not", async () => {
    await using session = await open(server, reader);
    await session.retrieve(1);
    assert.match(await session.command("DELE 1"), /^-ERR /);
    await session.quit();
    await using own = await login(server, "box");
    assert.equal((await own.stat()).messages, 2);
    await own.quit();
  });
  await t.test("one that is only for sending opens no maildrop", async () => {
    await assert.rejects(open(server, sender, "127.0.0.31"));
  });
  await t.test("its use is listed with the place", async () => {
    await until("the last use to be written", 10, async () => {
      const { appPasswords } = await json<{
        appPasswords: readonly { name: string; lastUsed: string | null; lastPeer: string | null }[];
      }>(installation, ["app-password", "list", addressOf("box")]);
      const row = appPasswords.find(({ name }) => name === "reader");
      return row?.lastUsed !== null && row?.lastPeer === "127.0.0.1";
    });
  });
  await t.test("taken back, it is cut and refused within a second", async () => {
    await using session = await open(server, reader);
    await installation.mustCli(["app-password", "revoke", addressOf("box"), "--name", "reader"]);
    await within("the session to be cut", 1, session.wire.closed());
    await assert.rejects(open(server, reader, "127.0.0.32"));
  });
  await t.test("P7: the log names the device and never the password", () => {
    const changes = server.events("admin.change").map(({ action, detail }) => [action, detail]);
    assert.ok(changes.some(([action, detail]) => action === "app-password.revoke" && detail === "reader"));
    for (const secret of [reader, sender, reader.replaceAll("-", "")]) assert.ok(!server.output.includes(secret));
  });
});

type Story = {
  readonly message: { readonly uidl: string; readonly state: string };
  readonly entries: readonly {
    readonly kind: string;
    readonly uidls: readonly string[];
    readonly newUidls: readonly string[];
    readonly octets: number | null;
    readonly device: string;
    readonly peer: string;
    readonly session: string;
  }[];
};

test("what became of a message can be proved, and undone", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const { installation } = server;
  const box = addressOf("box");
  await deliver(server, "box", 2, 12);
  const phone = await makeDevice(installation, "phone");
  let [first = "", second = "", octets = 0]: [string?, string?, number?] = [];
  {
    await using session = await open(server, phone);
    [first, second] = (await session.uidl()) as [string, string];
    octets = (await session.retrieve(1)).length;
    await session.must("DELE 1");
    await session.must("DELE 2");
    await session.quit();
  }
  const story = (uidl: string) => json<Story>(installation, ["maildrop", "history", box, "--message", uidl]);

  await t.test("who fetched it whole and who deleted it, in which session", async () => {
    // Transfers are written a second later at most.
    const told = await until("the transfer to be written", 5, async () => {
      const now = await story(first);
      return now.entries.some(({ kind }) => kind === "sent") ? now : false;
    });
    assert.equal(told.message.state, "removed");
    const sent = told.entries.find(({ kind }) => kind === "sent");
    const removed = told.entries.find(({ kind }) => kind === "removed");
    assert.deepEqual([sent?.device, sent?.peer, sent?.octets], ["phone", "127.0.0.1", octets]);
    assert.deepEqual([removed?.device, removed?.session], ["phone", sent?.session]);
    assert.notEqual(sent?.session, "");
    const [line] = server.events("pop3.session").filter((one) => JSON.stringify(one).includes(sent?.session ?? "?"));
    assert.ok(line, "the log knows the session by the same name");
  });
  await t.test("what a device took comes back under new UIDLs", async () => {
    assert.match((await installation.mustCli(["maildrop", "show", box])).text, /^INBOX +0 .* 2 +\S+ \S+ +\d{4}-/m);
    const failed = await installation.cli(["maildrop", "restore", box, "--device", "tablet"]);
    assert.equal(failed.code, 1);
    const restored = await json<{ restored: number }>(installation, [
      "maildrop",
      "restore",
      box,
      "--device",
      "phone",
      "--since",
      "1h",
    ]);
    assert.equal(restored.restored, 2);
    await using session = await login(server, "box");
    const uidls = await session.uidl();
    assert.equal(uidls.length, 2);
    assert.ok(!uidls.includes(first) && !uidls.includes(second));
    await session.quit();
    const { entries } = await story(first);
    assert.deepEqual(entries[0]?.kind, "restored");
    assert.deepEqual(entries[0]?.newUidls, [uidls[0]]);
  });
  await t.test("a person reads it, in either language", async () => {
    const told = await installation.mustCli(["maildrop", "history", box, "--message", first]);
    t.diagnostic(`\n${told.text}`);
    assert.match(told.text, /fetched whole, checksum right.*phone +127\.0\.0\.1/);
    assert.match(told.text, /fetched[\s\S]*deleted[\s\S]*brought back as /);
    assert.match(told.text, /^Now +brought back as /m);
    const chinese = await installation.mustCli(["maildrop", "history", box], { env: { LANG: "zh_CN.UTF-8" } });
    t.diagnostic(`\n${chinese.text}`);
    assert.match(chinese.text, /已完整收取，校验和正确/);
  });
});

test("an administrator ends a session, and nothing is removed", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  await deliver(server, "box", 1, 13);
  await using session = await login(server, "box");
  await session.must("DELE 1");
  const end = await server.installation.mustCli(["maildrop", "release", addressOf("box")]);
  assert.match(end.text, /Ended the session/);
  await within("the session to be cut", 1, session.wire.closed());
  await using next = await login(server, "box");
  assert.equal((await next.stat()).messages, 1);
  await next.quit();
});

test("who guesses has to wait, is seen, and is forgiven", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const { installation } = server;
  const from = "127.0.0.41";
  type Listed = { running: boolean; penalties: readonly { account: string; network: string; seconds: number }[] };
  const list = () => json<Listed>(installation, ["auth", "penalties", "list"]);
  let guesses = 0;
  // The wait doubles with each guess: in the end it is longer than the commands below take.
  await until("a wait that lasts", 60, async () => {
    guesses += 1;
    await assert.rejects(openAs(server, `wrong ${guesses}`, from));
    const { penalties } = await list();
    return penalties.some(({ account, network, seconds }) => {
      return account === addressOf("box") && network === from && seconds >= 4;
    });
  });
  assert.match((await installation.mustCli(["auth", "penalties", "list"])).text, /box@e2e\.test +127\.0\.0\.41/);
  const cleared = await json<{ cleared: number }>(installation, ["auth", "penalties", "clear", addressOf("box")]);
  assert.ok(cleared.cleared > 0);
  assert.deepEqual((await list()).penalties, []);
  // Every thread hears of it within a second.
  await until("the right password to be taken", 2, async () => {
    try {
      await (await openAs(server, passwordOf("box"), from)).quit();
      return true;
    } catch {
      return false;
    }
  });
});

/** Makes an app password and gives its text. */
async function makeDevice(installation: Installation, name: string, ...more: readonly string[]): Promise<string> {
  const words = ["app-password", "add", addressOf("box"), "--name", name, ...more];
  const { password } = await json<{ password: string }>(installation, words);
  return password;
}

async function json<T>(installation: Installation, words: readonly string[]): Promise<T> {
  return JSON.parse((await installation.mustCli([...words, "--json"])).text) as T;
}

/** Logs in as "box" by POP3S. */
function openAs(server: Server, password: string, localAddress: string): Promise<Pop3> {
  const { ca } = server.installation;
  return Pop3.login(server.ports.pop3s, addressOf("box"), password, { tls: "implicit", ca, localAddress });
}

function open(server: Server, password: string, localAddress = "127.0.0.1"): Promise<Pop3> {
  return openAs(server, password, localAddress);
}
