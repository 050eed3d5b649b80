import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { longestLine, makeMessages, messageOf } from "./harness/messages.ts";
import { Pop3 } from "./harness/pop3.ts";
import { mustRun } from "./harness/process.ts";
import { repository } from "./harness/repository.ts";
import { fetchByCurl, sendByChunks, sendByCurl, sendByPython, type Login, type Target } from "./harness/senders.ts";
import { startMailkeep, type Server } from "./harness/server.ts";
import { Smtp } from "./harness/smtp.ts";
import { expectedContent, sameOctets, withoutTrace } from "./harness/trace.ts";

const MIB = 1024 * 1024;
const from = "sender@elsewhere.example";
const user = addressOf("box");
/** Python's poplib refuses lines above this. */
const poplibLine = 2048;

test("octets out are the octets in plus trace headers", { timeout: 600_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  const { folder, ca, tls } = server.installation;
  const login = { user, password: passwordOf("box"), certificate: tls.certificate };
  const messages = makeMessages(200, 20_261_124).map((message) => message.octets);
  // The largest that is taken, in place of the last one of curl's and of the raw socket's.
  for (const index of [49, 199]) messages[index] = messageOf(50 * MIB, index).octets;
  const sent: Buffer[] = [];
  for (const [index, send] of senders(server, folder, login).entries()) {
    const batch = messages.slice(index * 50, index * 50 + 50);
    await send(batch);
    sent.push(...batch);
  }
  const wanted = sent.map(expectedContent);

  for (const mode of ["starttls", "implicit"] as const) {
    const port = mode === "implicit" ? server.ports.pop3s : server.ports.pop3;

    await t.test(`a raw socket fetches them, TLS ${mode}`, async () => {
      await using session = await Pop3.login(port, user, login.password, { tls: mode, ca, seconds: 60 });
      assert.equal((await session.stat()).messages, sent.length);
      compare((await session.retrieveAll()).map(withoutTrace), wanted);
      await session.quit();
    });

    await t.test(`a raw socket fetches them with all commands in one write, TLS ${mode}`, async () => {
      await using session = await Pop3.login(port, user, login.password, { tls: mode, ca, seconds: 60 });
      await session.wire.send(sent.map((_, index) => `RETR ${index + 1}\r\n`).join(""));
      const found: Buffer[] = [];
      for (const index of sent.keys()) found.push(await session.answerToRetr(index + 1));
      compare(found.map(withoutTrace), wanted);
      await session.quit();
    });

    await t.test(`curl fetches them, TLS ${mode}`, async () => {
      const url = `${mode === "implicit" ? "pop3s" : "pop3"}://localhost:${port}`;
      const target = path.join(folder, `curl-${mode}`);
      mkdirSync(target);
      const files = await fetchByCurl(url, { folder: target, login, count: sent.length, secure: mode });
      compare(
        files.map((file) => withoutTrace(readFileSync(file))),
        wanted,
      );
    });

    await t.test(`poplib fetches those with lines that it takes, TLS ${mode}`, async () => {
      const chosen = sent.flatMap((octets, index) => (longestLine(octets) <= poplibLine ? [index] : []));
      assert.ok(chosen.length > 150, `${chosen.length} messages`);
      const target = path.join(folder, `poplib-${mode}`);
      mkdirSync(target);
      const program = path.join(repository, "test", "e2e", "programs", "fetch-poplib.py");
      const words = [String(port), mode, login.certificate, user, login.password, target];
      await mustRun("python3", [program, ...words, ...chosen.map((index) => String(index + 1))], { seconds: 180 });
      const found = chosen.map((index) => withoutTrace(readFileSync(path.join(target, String(index + 1)))));
      compare(
        found,
        chosen.map((index) => wanted[index] ?? Buffer.of()),
      );
    });
  }
});

function senders({ ports }: Server, folder: string, login: Login): ((batch: readonly Buffer[]) => Promise<void>)[] {
  const target = (port: number): Target => ({ port, from, to: user, folder });
  return [
    (batch) => sendByCurl(target(ports.smtp), batch),
    (batch) => sendByCurl({ ...target(ports.submission), from: user }, batch, login),
    (batch) => sendByPython(target(ports.lmtp), batch),
    (batch) => sendByChunks(target(ports.smtp), batch, 7),
  ];
}

test("a message of no octets at all is a message", { timeout: 60_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: ["box"] });
  await using sender = await Smtp.open(server.ports.smtp);
  const replies = [
    ...(await sender.bdat(from, [user], Buffer.of(), [])),
    ...(await sender.data(from, [user], Buffer.of())),
  ];
  assert.deepEqual(
    replies.map((reply) => reply.code),
    [250, 250],
  );
  const options = { tls: "implicit", ca: server.installation.ca } as const;
  await using session = await Pop3.login(server.ports.pop3s, user, passwordOf("box"), options);
  for (const message of await session.retrieveAll()) assert.match(withoutTrace(message).toString(), /^(\r\n)?$/);
});

function compare(found: readonly Buffer[], wanted: readonly Buffer[]): void {
  assert.equal(found.length, wanted.length);
  for (const [index, octets] of found.entries())
    sameOctets(octets, wanted[index] ?? Buffer.of(), `message ${index + 1}`);
}
