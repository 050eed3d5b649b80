import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { raiseDescriptorLimit, SilentCrowd } from "./harness/crowd.ts";
import { flood, type Flood } from "./harness/flood.ts";
import { addressOf } from "./harness/installation.ts";
import { deliver, login, maildropHolds } from "./harness/maildrop.ts";
import { MemoryPeak, openDescriptors } from "./harness/memory.ts";
import { startMailkeep, type Server } from "./harness/server.ts";
import { until, within } from "./harness/wait.ts";

/*
 * Issue 3, "Bad input": 1 GB pushed at every port, and 10,000 connections that say nothing. Memory stays bounded, a login
 * beside them works, and the maildrop is as it was.
 */
const GIB = 1024 ** 3;
const mostMib = 64;
const user = "box";
const endless = Buffer.alloc(64 * 1024, "A");
const lines = Buffer.from(`${"B".repeat(1022)}\r\n`.repeat(64));

function floods({ ports, installation: { ca } }: Server): Record<string, Flood> {
  const rcpt = `RCPT TO:<${addressOf(user)}>\r\n`;
  const mail = ["MAIL FROM:<a@elsewhere.example>\r\n", rcpt, "DATA\r\n"];
  const hello = "client.e2e.test\r\n";
  return {
    "POP3, a line without end": { port: ports.pop3, piece: endless },
    "POP3, lines that are no commands": { port: ports.pop3, piece: lines },
    "POP3S, octets that are no TLS": { port: ports.pop3s, piece: endless },
    "POP3S, a line without end": { port: ports.pop3s, ca, piece: endless },
    "SMTP, a line without end": { port: ports.smtp, piece: endless },
    "SMTP, lines that are no commands": { port: ports.smtp, piece: lines },
    "SMTP, a message": { port: ports.smtp, opening: [`EHLO ${hello}`, ...mail], piece: lines },
    "SMTP, a message of one line": { port: ports.smtp, opening: [`EHLO ${hello}`, ...mail], piece: endless },
    "submission, a line without end": { port: ports.submission, piece: endless },
    "LMTP, a line without end": { port: ports.lmtp, piece: endless },
    "LMTP, a message": { port: ports.lmtp, opening: [`LHLO ${hello}`, ...mail], piece: lines },
    "HTTP, a request line without end": { port: ports.http, piece: endless },
    "HTTP, a body": {
      port: ports.http,
      opening: [],
      piece: Buffer.concat([
        Buffer.from("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n"),
        endless,
      ]),
    },
  };
}

test("1 GB pushed at every port", { timeout: 900_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = await startMailkeep(stack, { users: [user] });
  const mail = await deliver(server, user, 25, 41);
  await maildropHolds(server, user, mail);
  for (const [name, what] of Object.entries(floods(server))) {
    await t.test(name, async (inner) => {
      using memory = new MemoryPeak(server.pid);
      const flooding = flood(what, GIB);
      for (let pushing = true; pushing;) {
        const session = await within("a login beside the flood", 5, login(server, user));
        await session.quit();
        pushing = (await Promise.race([flooding, setImmediate("pushing")])) === "pushing";
      }
      const { taken, closed, answer } = await flooding;
      const how = `${Math.round(taken / 1024 ** 2)} MiB taken, ${closed ? "closed" : "open"}: ${JSON.stringify(answer.slice(0, 90))}`;
      inner.diagnostic(`+${memory.raise.toFixed(1)} MiB; ${how}`);
      assert.ok(memory.raise < mostMib, `resident memory rose by ${memory.raise.toFixed(1)} MiB; ${how}`);
      assert.ok(server.running, "it did not crash");
    });
  }
  await maildropHolds(server, user, mail);
  assert.deepEqual(server.events("thread.died"), []);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("10,000 connections that say nothing, on all ports", { timeout: 180_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  await raiseDescriptorLimit(16_384);
  const server = await startMailkeep(stack, { users: [user] });
  const mail = await deliver(server, user, 25, 42);
  await maildropHolds(server, user, mail);
  const descriptors = openDescriptors(server.pid);
  const { pop3, pop3s, smtp, submission, lmtp, http } = server.ports;
  {
    using memory = new MemoryPeak(server.pid);
    using crowd = new SilentCrowd();
    for (const port of [pop3, smtp, submission, lmtp]) await crowd.join(port, 1_700, true);
    for (const port of [pop3s, http]) await crowd.join(port, 1_600, false);
    await maildropHolds(server, user, mail);
    mail.push(...(await deliver(server, user, 25, 43)));
    await maildropHolds(server, user, mail);
    t.diagnostic(`${crowd.open} open, +${memory.raise.toFixed(1)} MiB`);
    assert.ok(memory.raise < 200, `resident memory rose by ${memory.raise.toFixed(1)} MiB`);
    assert.ok(server.running, "it did not crash");
  }
  await until("the descriptors to be given back", 30, () => openDescriptors(server.pid) < descriptors + 50);
  await maildropHolds(server, user, mail);
});
