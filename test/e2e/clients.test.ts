import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { startDovecot } from "./harness/dovecot.ts";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { fetchmail, mpop } from "./harness/mail-clients.ts";
import { makeMessages } from "./harness/messages.ts";
import { Pop3 } from "./harness/pop3.ts";
import { startMailkeep } from "./harness/server.ts";
import { Smtp } from "./harness/smtp.ts";
import { sameOctets } from "./harness/trace.ts";

const count = 100;

test("mail clients write the same files as from Dovecot holding the same mail", { timeout: 300_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  const dovecot = await startDovecot(stack);
  const server = await startMailkeep(stack, { users: ["box"] });
  const { folder, ca, tls } = server.installation;
  const user = addressOf("box");
  const ours = { user, password: passwordOf("box"), certificate: tls.certificate };
  const theirs = { user: "box", password: dovecot.password, certificate: dovecot.tls.certificate };

  await using sender = await Smtp.open(server.ports.smtp);
  for (const { octets } of makeMessages(count, 31)) {
    const [reply] = await sender.data("sender@elsewhere.example", [user], octets);
    assert.equal(reply?.code, 250, JSON.stringify(reply));
  }
  await sender.quit();

  // Dovecot gets what Mailkeep holds, trace and all, so that nothing but the fetching can differ.
  await using session = await Pop3.login(server.ports.pop3s, user, ours.password, { tls: "implicit", ca });
  const held = await session.retrieveAll();
  assert.equal(held.length, count);
  for (const [index, octets] of held.entries()) dovecot.put("box", `${1_000 + index}.e2e`, octets);
  await session.quit();

  for (const [name, client] of Object.entries({ fetchmail, mpop })) {
    await t.test(name, async () => {
      const inner = (of: string) => {
        const place = path.join(folder, `${name}-${of}`);
        mkdirSync(place);
        return place;
      };
      const fromUs = await client(server.ports.pop3s, ours, inner("mailkeep"));
      const fromDovecot = await client(dovecot.pop3s, theirs, inner("dovecot"));
      assert.equal(fromDovecot.length, count, "Dovecot serves all");
      assert.equal(fromUs.length, count, "Mailkeep serves all");
      for (const [index, octets] of fromUs.entries()) {
        sameOctets(octets, fromDovecot[index] ?? Buffer.of(), `file ${index + 1} in order of content`);
      }
    });
  }
});
