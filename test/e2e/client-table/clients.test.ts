import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { addressOf, passwordOf } from "../harness/installation.ts";
import { Pop3 } from "../harness/pop3.ts";
import { startMailkeep, type Server } from "../harness/server.ts";
import { Smtp } from "../harness/smtp.ts";
import { until } from "../harness/wait.ts";
import { clients, thunderbird } from "./clients.ts";
import { compileJava, fetchByJava, javaMails, type JavaMail, type Profile } from "./java.ts";
import { clientMessages, sameMail } from "./mail.ts";
import { clientsPage, withoutVersions, writePage, writtenPage, type ClientResult } from "./table.ts";

const messages = clientMessages();
const results: ClientResult[] = [];
const checks: string[] = [];

test("every real client fetches its mail", { timeout: 900_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  // An account each, so that the log tells them apart.
  const owners = clients.map((_, index) => `client-${index}`);
  const users = [...owners, "stls", "java-jakarta", "java-javax"];
  const server = await startMailkeep(stack, { users });
  const { ports, installation } = server;
  const loginOf = (user: string) => ({
    user: addressOf(user),
    password: passwordOf(user),
    certificate: installation.tls.certificate,
  });
  await fill(server, users);
  const place = (name: string): string => {
    const folder = path.join(installation.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  };

  for (const [index, client] of clients.entries()) {
    await t.test(`${client.name} by POP3S`, async () => {
      const owner = owners[index] ?? "";
      const kept = await client.fetch(ports.pop3s, loginOf(owner), place(`client-${index}`));
      sameMail(kept, messages, client.name);
      const { mechanism, tls } = await until("its login in the log", 10, () =>
        server.events("login.ok").find(({ account }) => account === addressOf(owner)),
      );
      results.push({
        client: client.name,
        debian: client.debian,
        mechanism: String(mechanism),
        tls: String(tls),
        messages: kept.length,
      });
      await nothingRemoved(server, owner);
    });
  }

  await t.test("Thunderbird by STLS", async () => {
    sameMail(await thunderbird(ports.pop3, loginOf("stls"), place("stls"), "stls"), messages, "Thunderbird by STLS");
    checks.push("Thunderbird by STLS on the POP3 port.");
  });

  for (const which of Object.keys(javaMails) as JavaMail[]) {
    const folder = place(`profile-${which}`);
    const login = loginOf(`java-${which}`);
    await compileJava(which, folder);
    const fetch = (profile: Profile, tls: "stls" | "tls" = "stls") =>
      fetchByJava(which, folder, tls === "tls" ? ports.pop3s : ports.pop3, login, profile);
    const stls = { "starttls.enable": "true", "starttls.required": "true" };

    for (const [title, profile, tls] of [
      ["starttls.required", stls, "stls"],
      ["ssl.enable and keepmessagecontent", { "ssl.enable": "true", keepmessagecontent: "true" }, "tls"],
      ["disabletop", { ...stls, disabletop: "true" }, "stls"],
      ["forgettopheaders", { ...stls, forgettopheaders: "true" }, "stls"],
      ["rsetbeforequit", { ...stls, rsetbeforequit: "true" }, "stls"],
      ["disablecapa", { "ssl.enable": "true", disablecapa: "true" }, "tls"],
      ["pipelining", { ...stls, pipelining: "true" }, "stls"],
      ["filecache.enable", { ...stls, "filecache.enable": "true" }, "stls"],
    ] as const) {
      await t.test(`${which}.mail with ${title}`, async () => {
        const lines = await fetch(profile, tls);
        assert.equal(lines.at(-1), "done", lines.join("\n"));
        assert.equal(lines.length - 1, messages.length, lines.join("\n"));
        await nothingRemoved(server, `java-${which}`);
      });
    }

    await t.test(`${which}.mail with apop.enable logs in all the same`, async () => {
      const lines = await fetch({ ...stls, "apop.enable": "true" });
      // The greeting has no timestamp, so there is no APOP to be tried (rule 1939-20).
      assert.equal(lines.at(-1), "done", lines.join("\n"));
    });

    await t.test(`${which}.mail in clear text is refused before its password is sent`, async () => {
      const [line = ""] = await fetch({});
      assert.match(line, /^refused .*TLS/, line);
    });

    await t.test(`${which}.mail removes with a committed QUIT, and with rsetbeforequit nothing`, async () => {
      const remove = { remove: true };
      await fetchByJava(which, folder, ports.pop3, login, { ...stls, rsetbeforequit: "true" }, remove);
      // JavaMail marks before it closes and says RSET at the close: what it marked is not removed.
      const before = server.events("pop3.session").length;
      const removing = await fetchByJava(which, folder, ports.pop3, login, stls, remove);
      assert.equal(removing.at(-1), "done");
      const session = await server.event("pop3.session", 10, before);
      assert.equal(session["end"], "quit");
    });
    checks.push(
      `${which}.mail with starttls.required, ssl.enable, keepmessagecontent, disabletop, forgettopheaders, rsetbeforequit, disablecapa, pipelining, filecache.enable and apop.enable; in clear text it is refused before its password is sent.`,
    );
  }

  await t.test("docs/reference/clients.md tells what this run saw", async () => {
    const wanted = await clientsPage(results, checks);
    if (process.env["CLIENT_TABLE"] === "write") await writePage(results, checks);
    assert.equal(withoutVersions(writtenPage()), withoutVersions(wanted), "npm run e2e:clients -- --write");
  });
});

async function fill(server: Server, users: readonly string[]): Promise<void> {
  await using sender = await Smtp.open(server.ports.smtp);
  for (const { octets } of messages) {
    const [reply] = await sender.data("sender@elsewhere.example", users.map(addressOf), octets);
    assert.equal(reply?.code, 250, JSON.stringify(reply));
  }
  await sender.quit();
}

async function nothingRemoved({ ports, installation }: Server, user: string): Promise<void> {
  await using session = await Pop3.login(ports.pop3s, addressOf(user), passwordOf(user), {
    tls: "implicit",
    ca: installation.ca,
  });
  assert.match(await session.command("STAT"), new RegExp(`^\\+OK ${messages.length} `));
  await session.quit();
}
