import assert from "node:assert/strict";
import { isAscii } from "node:buffer";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { startHaproxy } from "./harness/haproxy.ts";
import { addressOf, install, passwordOf } from "./harness/installation.ts";
import { deliver, login } from "./harness/maildrop.ts";
import { Pop3 } from "./harness/pop3.ts";
import { serve, startMailkeep, type Server } from "./harness/server.ts";
import { Smtp } from "./harness/smtp.ts";
import { until } from "./harness/wait.ts";

const options = { timeout: 180_000 };
const takeoverSeconds = 10;

test("a dead session does not lock its owner out, and lets nobody else in", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, {
    users: ["box"],
    config: { limits: { pop3_takeover_seconds: takeoverSeconds } },
  });
  await deliver(server, "box", 3, 11);
  const phone = await appPassword(server, "phone");
  const tablet = await appPassword(server, "tablet");

  await t.test("the same device takes over, and the old session is cut without UPDATE", async () => {
    await using dead = await as(server, phone);
    await dead.must("DELE 1");
    // Another device hears that it is in use, however long it was silent; the same one too, as long as it may still live.
    assert.match(await tryAs(server, phone), /^-ERR \[IN-USE\]/);
    const seen = server.events("pop3.session").length;
    const status = await until("the same device to get in", takeoverSeconds * 2 + 10, async () => {
      const answer = await tryAs(server, phone);
      return answer.startsWith("+OK") && answer;
    });
    assert.match(status, /^\+OK 3 /, "what the dead session had marked is there");
    assert.equal(await dead.wire.closed(), "");
    assert.equal((await server.event("pop3.session", 5, seen))["end"], "taken_over");
  });

  await t.test("another device does not", async () => {
    await using alive = await as(server, phone);
    const begin = performance.now();
    while (performance.now() - begin < (takeoverSeconds + 3) * 1000)
      assert.match(await tryAs(server, tablet), /^-ERR \[IN-USE\]/);
    await alive.must("NOOP");
    await alive.quit();
  });

  await t.test("maildrop release ends a session without UPDATE", async () => {
    await using held = await as(server, phone);
    await held.must("DELE 2");
    await server.installation.mustCli(["maildrop", "release", addressOf("box")]);
    assert.equal(await held.wire.closed(), "");
    await using next = await as(server, tablet);
    assert.equal((await next.stat()).messages, 3);
    await next.quit();
  });
});

test("an account has no more sessions than it may, of all protocols together", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"], config: { limits: { sessions_per_account: 1 } } });
  const { ports, installation } = server;
  const junk = async () => {
    await using session = await Pop3.open(ports.pop3s, { tls: "implicit", ca: installation.ca });
    await session.must("USER box+junk@e2e.test");
    return await session.command(`PASS ${passwordOf("box")}`);
  };
  {
    await using inbox = await login(server, "box");
    assert.match(await junk(), /^-ERR \[IN-USE\]/);
    await using submission = await Smtp.open(ports.submission, { starttls: true, ca: installation.ca });
    const plain = Buffer.from(`\0${addressOf("box")}\0${passwordOf("box")}`).toString("base64");
    assert.equal((await submission.command(`AUTH PLAIN ${plain}`)).code, 454);
    await inbox.quit();
  }
  await until("the session to be over", 5, async () => (await junk()).startsWith("+OK"));
});

test("LOGIN-DELAY and EXPIRE tell the truth for each user", options, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["quick", "slow"], config: { retention: { expire_days: 90 } } });
  const set = ["user", "set", addressOf("slow"), "--login-delay-seconds", "30", "--expire-days", "7"];
  await server.installation.mustCli(set);
  const open = () => Pop3.open(server.ports.pop3s, { tls: "implicit", ca: server.installation.ca });
  await until("CAPA to tell it", 5, async () => {
    await using session = await open();
    const capa = await session.lines("CAPA");
    return capa.includes("LOGIN-DELAY 30 USER") && capa.includes("EXPIRE 7 USER");
  });
  await using quick = await login(server, "quick");
  const ofQuick = await quick.lines("CAPA");
  assert.ok(ofQuick.includes("EXPIRE 90"), ofQuick.join());
  assert.ok(!ofQuick.some((line) => /^LOGIN-DELAY (?!0)/.test(line)), ofQuick.join());
  {
    await using slow = await login(server, "slow");
    const ofSlow = await slow.lines("CAPA");
    assert.ok(ofSlow.includes("LOGIN-DELAY 30") && ofSlow.includes("EXPIRE 7"), ofSlow.join());
    await slow.quit();
  }
  await using again = await open();
  await again.must(`USER ${addressOf("slow")}`);
  assert.match(await again.command(`PASS ${passwordOf("slow")}`), /^-ERR \[LOGIN-DELAY\]/);
});

test(
  "what a client without UTF8 gets holds no UTF-8 in header fields, and STAT, LIST and RETR agree",
  options,
  async () => {
    await using stack = new AsyncDisposableStack();
    const server = await startMailkeep(stack, { users: ["box"] });
    const subject = "Grüße 你好";
    const part = 'Content-Type: text/plain; charset=utf-8; name="文件.txt"\r\n';
    const message = Buffer.from(
      `From: Jürgen <j@e2e.test>\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\n` +
        `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${part}\r\nGrüße\r\n--b--\r\n`,
    );
    const legacy = Buffer.concat([
      Buffer.from("Subject: "),
      Buffer.from("c4e3bac3", "hex"),
      Buffer.from("\r\n\r\nGBK\r\n"),
    ]);
    await using sender = await Smtp.open(server.ports.smtp);
    for (const octets of [message, legacy]) await sender.data("sender@elsewhere.example", [addressOf("box")], octets);
    await sender.quit();

    const fetch = async (utf8: boolean) => {
      await using session = await Pop3.open(server.ports.pop3s, { tls: "implicit", ca: server.installation.ca });
      if (utf8) await session.must("UTF8");
      await session.must(`USER ${addressOf("box")}`);
      await session.must(`PASS ${passwordOf("box")}`);
      const total = (await session.stat()).octets;
      const got = await session.retrieveAll();
      assert.equal(
        got.reduce((sum, { length }) => sum + length, 0),
        total,
        "STAT is what RETR sends",
      );
      await session.quit();
      return got.map((octets) => octets.toString("latin1"));
    };
    const [stored = "", gbk = ""] = await fetch(true);
    assert.ok(stored.includes(message.toString("latin1")), "as it came");
    const [converted = "", same = ""] = await fetch(false);
    const head = converted.slice(0, converted.indexOf("\r\n\r\n"));
    assert.ok(isAscii(Buffer.from(head, "latin1")), "no octet beyond ASCII in the header");
    const words = [...(/Subject: (.*(?:\r\n[ \t].*)*)/.exec(head)?.[1] ?? "").matchAll(/=\?UTF-8\?B\?([^?]*)\?=/gi)];
    assert.equal(words.map(([, text = ""]) => Buffer.from(text, "base64").toString()).join(""), subject);
    const partHead = converted.slice(
      converted.indexOf("--b\r\n"),
      converted.indexOf("\r\n\r\n", converted.indexOf("--b\r\n")),
    );
    assert.ok(isAscii(Buffer.from(partHead, "latin1")), "nor in that of a part");
    assert.ok(converted.includes(Buffer.from("Grüße\r\n--b--").toString("latin1")), "the body as it came");
    assert.equal(same, gbk, "what is no UTF-8 goes as it is");
  },
);

test("behind HAProxy the client's own address counts", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack, { users: ["box"] });
  const config = JSON.parse(installation.text) as { listeners: Record<string, unknown>[] };
  const [listener] = config.listeners;
  assert.ok(listener);
  listener["proxy_protocol_from"] = ["127.0.0.1/32"];
  writeFileSync(installation.configFile, JSON.stringify(config));
  const server = await serve(stack, installation);
  const front = await startHaproxy(stack, path.join(installation.folder, "haproxy"), server.ports.pop3);

  await t.test("a login's peer is the one in front, and STLS goes through", async () => {
    const session = await until("HAProxy to find its back end up", 20, async () => {
      try {
        return await Pop3.open(front, { tls: "starttls", ca: installation.ca, localAddress: "127.0.0.5", seconds: 5 });
      } catch {
        return undefined;
      }
    });
    await session.must(`USER ${addressOf("box")}`);
    await session.must(`PASS ${passwordOf("box")}`);
    await session.quit();
    assert.equal((await server.event("login.ok", 5))["peer"], "127.0.0.5");
  });

  await t.test("who comes without a header, or from elsewhere with one, is not served", async () => {
    await assert.rejects(Pop3.open(server.ports.pop3, { localAddress: "127.0.0.9", seconds: 10 }));
  });
});

async function appPassword(server: Server, name: string): Promise<string> {
  const words = ["app-password", "add", addressOf("box"), "--name", name, "--json"];
  const { text } = await server.installation.mustCli(words);
  const { password } = JSON.parse(text) as { readonly password?: string };
  assert.ok(password !== undefined, text);
  return password;
}

function as(server: Server, password: string): Promise<Pop3> {
  const { ports, installation } = server;
  return Pop3.login(ports.pop3s, addressOf("box"), password, { tls: "implicit", ca: installation.ca });
}

async function tryAs(server: Server, password: string): Promise<string> {
  await using session = await Pop3.open(server.ports.pop3s, { tls: "implicit", ca: server.installation.ca });
  await session.must(`USER ${addressOf("box")}`);
  const answer = await session.command(`PASS ${password}`);
  if (answer.startsWith("+OK")) await session.quit();
  return answer;
}
