import assert from "node:assert/strict";
import { test } from "node:test";
import { domain } from "./harness/configuration.ts";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { deliver, login, maildropHolds } from "./harness/maildrop.ts";
import { Pop3 } from "./harness/pop3.ts";
import { startMailkeep } from "./harness/server.ts";
import { Smtp, type Reply } from "./harness/smtp.ts";
import { Wire } from "./harness/wire.ts";

/*
 * What the doors let in and what they refuse, as a stranger sees it: names of people, relaying, smuggling, clear-text
 * logins, one session a maildrop.
 */
const options = { timeout: 120_000 };
const stranger = "someone@elsewhere.example";
const content = Buffer.from("Subject: to a name\r\n\r\nbody\r\n");

test("names of people", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["keeper", "anna", "anna+exact", "grüße"] });
  await using sender = await Smtp.open(server.ports.lmtp, { lmtp: true });
  const names: readonly (readonly [recipient: string, user: string, parameters?: string])[] = [
    [`postmaster@${domain}`, "keeper"],
    [`PostMaster@${domain.toUpperCase()}`, "keeper"],
    [`ANNA@${domain}`, "anna"],
    [`anna+lists@${domain}`, "anna"],
    [`anna+exact@${domain}`, "anna+exact"],
    [`"anna"@${domain}`, "anna"],
    [`grüße@${domain}`, "grüße", " SMTPUTF8"],
    [`gru\u0308ße@${domain}`, "grüße", " SMTPUTF8"],
  ];
  const counts = new Map<string, number>();
  for (const [recipient, user, parameters = ""] of names) {
    await t.test(`${recipient} is ${user}`, async () => {
      const encoded = Buffer.from(recipient).toString("latin1");
      await sender.envelope(stranger, [encoded], parameters);
      await sender.must("DATA", 354);
      await sender.wire.send(Buffer.concat([content, Buffer.from(".\r\n")]));
      assert.equal((await sender.reply()).code, 250);
      counts.set(user, (counts.get(user) ?? 0) + 1);
      await using session = await login(server, user);
      assert.equal((await session.stat()).messages, counts.get(user));
      await session.quit();
    });
  }
  await t.test("+junk names Junk, at RCPT and at login; INBOX is untouched", async () => {
    const [reply] = await sender.data(stranger, [`anna+junk@${domain}`], content);
    assert.equal(reply?.code, 250);
    const { ca } = server.installation;
    const secure = { tls: "implicit", ca } as const;
    await using junk = await Pop3.login(server.ports.pop3s, `anna+junk@${domain}`, passwordOf("anna"), secure);
    assert.equal((await junk.stat()).messages, 1);
    await using inbox = await login(server, "anna");
    assert.equal((await inbox.stat()).messages, counts.get("anna"));
  });
  await t.test("a login without a domain gets the only one", async () => {
    const secure = { tls: "implicit", ca: server.installation.ca } as const;
    await (await Pop3.login(server.ports.pop3s, "anna", passwordOf("anna"), secure)).quit();
  });
});

test("SMTP: nobody relays, nobody guesses, nobody smuggles", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const user = addressOf("box");
  const mail = await deliver(server, "box", 2, 71);
  const { smtp, submission, lmtp } = server.ports;
  const { ca } = server.installation;

  await t.test("recipients elsewhere and nobody here are refused at RCPT", async () => {
    for (const [port, mode] of [
      [smtp, false],
      [lmtp, true],
    ] as const) {
      await using session = await Smtp.open(port, { lmtp: mode });
      await session.must(`MAIL FROM:<${stranger}>`, 250);
      assert.match(told(await session.command("RCPT TO:<other@elsewhere.example>")), /^550 5\.7\.1|^55[04] 5\./);
      assert.match(told(await session.command(`RCPT TO:<nobody@${domain}>`)), /^550 5\.1\.1/);
      assert.match(told(await session.command("RCPT TO:<not an address>")), /^5\d\d 5\./);
      assert.match(told(await session.command("DATA")), /^5\d\d 5\./, "no recipient, no data");
      const vrfy = [await session.command(`VRFY ${user}`), await session.command(`VRFY nobody@${domain}`)];
      assert.equal(vrfy[0]?.text, vrfy[1]?.text, "VRFY says nothing");
    }
  });
  await t.test("submission wants a login, and TLS before it; elsewhere has a clear word", async () => {
    await using clear = await Smtp.open(submission);
    assert.ok(!clear.extensions.some((line) => line.startsWith("AUTH")), "no AUTH in clear text");
    assert.match(told(await clear.command("AUTH PLAIN AGEAYg==")), /^5\d\d 5\./);
    assert.match(told(await clear.command(`MAIL FROM:<${user}>`)), /^530 5\.7\./);
    await using session = await Smtp.open(submission, { starttls: true, ca });
    assert.ok(
      session.extensions.some((line) => /^AUTH .*PLAIN/.test(line)),
      "AUTH under TLS",
    );
    assert.match(told(await session.command(`MAIL FROM:<${user}>`)), /^530 5\.7\.0/);
    const plain = Buffer.from(`\0${user}\0${passwordOf("box")}`).toString("base64");
    await session.must(`AUTH PLAIN ${plain}`, 235);
    await session.must(`MAIL FROM:<${user}>`, 250);
    assert.match(told(await session.command("RCPT TO:<other@elsewhere.example>")), /^55\d 5\./);
    await session.must(`RCPT TO:<${user}>`, 250);
  });
  await t.test("bare CR and LF never end a message, and are refused", async () => {
    for (const end of ["\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r.\r\n"]) {
      await using session = await Smtp.open(smtp);
      await session.envelope(stranger, [user]);
      await session.must("DATA", 354);
      const inner = `MAIL FROM:<${stranger}>\r\nRCPT TO:<${user}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n`;
      await session.wire.send(`Subject: outer\r\n\r\nbody${end}${inner}`);
      assert.match(told(await session.reply()), /^55\d 5\./, JSON.stringify(end));
    }
  });
  await t.test("a loop of more than 100 Received, and what is too large, are refused", async () => {
    await using session = await Smtp.open(smtp);
    const loop = Buffer.from(`${"Received: from a by b; Tue, 24 Nov 2026 03:00:00 +0000\r\n".repeat(101)}\r\nx\r\n`);
    assert.match(told(...(await session.data(stranger, [user], loop))), /^554 5\.4\.6/);
    const tooLarge = `MAIL FROM:<${stranger}> SIZE=${50 * 1024 * 1024 + 1}`;
    assert.match(told(await session.command(tooLarge)), /^552 5\.3\.4/);
  });
  await t.test("what was pipelined behind STARTTLS in clear text is never run (P5)", async () => {
    await using wire = await Wire.open(smtp);
    await wire.line();
    await wire.send("EHLO a\r\n");
    while (!(await wire.line()).startsWith("250 "));
    await wire.send(`STARTTLS\r\nMAIL FROM:<${stranger}>\r\n`);
    assert.doesNotMatch(await wire.closed(), /250/);
  });
  await maildropHolds(server, "box", mail);
});

test("POP3: one session a maildrop, no login in clear text, nothing from before TLS", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const user = addressOf("box");
  const mail = await deliver(server, "box", 3, 72);
  const { ca } = server.installation;
  const secure = { tls: "implicit", ca } as const;

  await t.test("[IN-USE] only after the right password, and only while the session lasts (P4)", async () => {
    await using first = await login(server, "box");
    await first.must("DELE 1");
    await using second = await Pop3.open(server.ports.pop3s, secure);
    await second.must(`USER ${user}`);
    assert.match(await second.command(`PASS ${passwordOf("box")}`), /^-ERR \[IN-USE\]/);
    await using guesser = await Pop3.open(server.ports.pop3s, { ...secure, localAddress: "127.0.0.41" });
    await guesser.must(`USER ${user}`);
    assert.match(await guesser.command("PASS wrong"), /^-ERR \[AUTH\]/);
    // The cable is pulled: what was marked stays, and the maildrop is free at once.
    first.wire.close();
    await maildropHolds(server, "box", mail);
  });
  await t.test("without TLS: STLS is offered, logins are not, and are refused", async () => {
    await using session = await Pop3.open(server.ports.pop3);
    const before = await session.lines("CAPA");
    assert.ok(before.includes("STLS") && !before.includes("USER"), before.join());
    assert.match(await session.command(`USER ${user}`), /^-ERR/);
    assert.match(await session.command("AUTH PLAIN"), /^-ERR/);
    await session.must("STLS");
    await session.wire.secure(ca);
    const after = await session.lines("CAPA");
    assert.ok(!after.includes("STLS") && after.includes("USER"), after.join());
    for (const capability of ["TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "UTF8 USER"]) {
      assert.ok(after.includes(capability), `${capability} in ${after.join()}`);
    }
    assert.match(after.join(), /,SASL SCRAM-SHA-256 PLAIN LOGIN,/);
  });
  await t.test("commands behind STLS in the same read end the session (P5, TLS-02)", async () => {
    await using wire = await Wire.open(server.ports.pop3);
    await wire.line();
    await wire.send(`STLS\r\nUSER ${user}\r\n`);
    assert.match(await wire.closed(), /^(\+OK.*\r\n)?(-ERR.*\r\n)?$/);
    await server.event("pop3.attack", 5);
  });
  await t.test("unique ids stay the same, and deletion is what QUIT confirms", async () => {
    const ids = async () => {
      await using session = await login(server, "box");
      return await session.uidl();
    };
    const before = await ids();
    await using session = await login(server, "box");
    await session.must("DELE 2");
    await session.must("RSET");
    await session.must("DELE 1");
    await session.quit();
    assert.deepEqual(await ids(), before.slice(1));
    await maildropHolds(server, "box", mail.slice(1));
  });
});

function told(...replies: readonly Reply[]): string {
  return replies.map(({ code, text }) => `${code} ${text}`).join("\n");
}
