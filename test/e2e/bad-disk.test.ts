import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Disk } from "./harness/disk.ts";
import { addressOf, install } from "./harness/installation.ts";
import { deliver, login, maildropHolds } from "./harness/maildrop.ts";
import { messageOf } from "./harness/messages.ts";
import { refusedStart } from "./harness/refusal.ts";
import { serve, type Server } from "./harness/server.ts";
import { Smtp, type Reply } from "./harness/smtp.ts";
import { until } from "./harness/wait.ts";

/*
 * Issue 3, "Bad input": a full and a read-only disk. What was acknowledged is there afterwards, what was refused is not.
 */
const options = { timeout: 180_000 };
const user = "box";
const MIB = 1024 * 1024;

async function onDisk(stack: AsyncDisposableStack) {
  const disk = await Disk.make(stack, 128);
  const data = path.join(disk.folder, "data");
  mkdirSync(data);
  const installation = await install(stack, { users: [user], data });
  return { disk, installation, server: await serve(stack, installation) };
}

/** Sends one message and gives the last reply, or the one that refused it earlier. */
async function attempt(server: Server, protocol: "smtp" | "lmtp", content: Buffer): Promise<Reply> {
  await using session = await Smtp.open(server.ports[protocol], { lmtp: protocol === "lmtp", seconds: 60 });
  for (const line of ["MAIL FROM:<a@elsewhere.example>", `RCPT TO:<${addressOf(user)}>`]) {
    const reply = await session.command(line);
    if (reply.code !== 250) return reply;
  }
  await session.must("RSET", 250);
  const [reply = { code: 0, text: "no reply" }] = await session.data("a@elsewhere.example", [addressOf(user)], content);
  return reply;
}

test(
  "a full disk: 452 to senders, [SYS/TEMP] to a QUIT that cannot be kept, and on it goes with space",
  options,
  async (t) => {
    await using stack = new AsyncDisposableStack();
    const { disk, server } = await onDisk(stack);
    const mail = await deliver(server, user, 25, 21);
    disk.fill();
    // What was laid out beforehand may still take some messages: those are acknowledged, and count.
    let refused: Reply | undefined;
    for (let index = 0; refused === undefined; index += 1) {
      assert.ok(index < 500, "the disk never gets full");
      disk.fill();
      const { octets } = messageOf(200_000, index);
      const reply = await attempt(server, "smtp", octets);
      if (reply.code === 250) mail.push(octets);
      else refused = reply;
    }
    assert.equal(refused.code, 452, JSON.stringify(refused));
    assert.match(refused.text, /^4\.3\.1/, "mail system full (RFC 3463)");
    await t.test("LMTP and large messages get 452 as well", async () => {
      assert.equal((await attempt(server, "lmtp", messageOf(200_000, 1).octets)).code, 452);
      assert.equal((await attempt(server, "smtp", messageOf(20 * MIB, 1).octets)).code, 452);
    });
    await t.test("all mail can be fetched meanwhile", () => maildropHolds(server, user, mail));
    await t.test("a QUIT that removes is kept, or answered [SYS/TEMP]", async () => {
      await using session = await login(server, user);
      await session.must("DELE 1");
      const status = await session.command("QUIT");
      if (status.startsWith("+OK")) mail.shift();
      else assert.match(status, /^-ERR \[SYS\/TEMP\]/);
      await maildropHolds(server, user, mail);
    });
    assert.ok(server.running, "it did not crash");
    disk.free();
    await t.test("with space it goes on by itself", async () => {
      const { octets } = messageOf(10_000, 2);
      await until("a message to be taken again", 60, async () => (await attempt(server, "smtp", octets)).code === 250);
      mail.push(octets);
      mail.push(...(await deliver(server, user, 25, 22)));
      await maildropHolds(server, user, mail);
    });
    assert.ok(server.events("store.full").length > 0, "the operator is told");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  },
);

test("a disk that turns read-only: nothing is acknowledged, mail can be read, nothing is lost", options, async (t) => {
  await using stack = new AsyncDisposableStack();
  const { disk, installation, server } = await onDisk(stack);
  const mail = await deliver(server, user, 25, 23);
  await disk.turnReadOnly();
  await t.test("SMTP and LMTP answer 4yz", async () => {
    for (const protocol of ["smtp", "lmtp"] as const) {
      for (const octets of [5_000, 5 * MIB]) {
        const reply = await attempt(server, protocol, messageOf(octets, 3).octets);
        assert.ok([451, 452].includes(reply.code), `${protocol}: ${JSON.stringify(reply)}`);
      }
    }
  });
  await t.test("all mail can be fetched", () => maildropHolds(server, user, mail));
  await t.test("a QUIT that removes is answered [SYS/TEMP] and removes nothing", async () => {
    await using session = await login(server, user);
    await session.must("DELE 1");
    assert.match(await session.command("QUIT"), /^-ERR \[SYS\/TEMP\]/);
    await maildropHolds(server, user, mail);
  });
  assert.ok(server.running, "it did not crash");
  assert.ok(server.events("store.failed").length > 0, "the operator is told");
  await server.stop();
  assert.doesNotMatch(server.output, /should not|Unknown error/, "its end is in good order as well");
  await disk.unmount();
  await disk.repair();
  await disk.mount();
  await using running = new AsyncDisposableStack();
  const again = await serve(running, installation);
  await maildropHolds(again, user, mail);
});

test("a read-only data folder: the start is refused in words", options, async () => {
  await using stack = new AsyncDisposableStack();
  const { disk, installation, server } = await onDisk(stack);
  const mail = await deliver(server, user, 25, 24);
  await server.stop();
  await disk.unmount();
  await disk.mount("ro");
  const words = await refusedStart(installation);
  assert.match(words, new RegExp(installation.data), words);
  assert.match(words, /read-only|EROFS/i, words);
  await disk.unmount();
  await disk.mount();
  await using running = new AsyncDisposableStack();
  await maildropHolds(await serve(running, installation), user, mail);
});

test("a full disk at the start: refused in words, or served without losing anything", options, async () => {
  await using stack = new AsyncDisposableStack();
  const { disk, installation, server } = await onDisk(stack);
  const mail = await deliver(server, user, 25, 25);
  await server.kill();
  disk.fill();
  const end = await installation.cli(["user", "list"], { seconds: 30 });
  assert.ok(end.code === 0 || /full|space/i.test(end.stderr), `${end.code} ${end.stderr}`);
  disk.free();
  await using running = new AsyncDisposableStack();
  await maildropHolds(await serve(running, installation), user, mail);
});
