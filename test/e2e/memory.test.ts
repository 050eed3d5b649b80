import assert from "node:assert/strict";
import { test } from "node:test";
import { raiseDescriptorLimit, SilentCrowd } from "./harness/crowd.ts";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { MemoryPeak } from "./harness/memory.ts";
import { messageOf } from "./harness/messages.ts";
import { Pop3 } from "./harness/pop3.ts";
import { startMailkeep, type Server } from "./harness/server.ts";
import { Smtp } from "./harness/smtp.ts";

const MIB = 1024 * 1024;
const user = addressOf("box");

test(
  "50 MiB in by SMTP and out by POP3S raise resident memory by less than 32 MiB",
  { timeout: 180_000 },
  async (t) => {
    await using stack = new AsyncDisposableStack();
    const server = await startMailkeep(stack, { users: ["box"] });
    const large = messageOf(50 * MIB, 5).octets;
    // The first message of each kind loads code and fills pools that stay.
    for (const octets of [20_000, 2_000_000]) await throughServer(server, messageOf(octets, 5).octets);
    using memory = new MemoryPeak(server.pid);
    await send(server, large);
    const after = memory.raise;
    await fetchLast(server, large.length);
    t.diagnostic(
      `${memory.before.toFixed(1)} MiB; +${after.toFixed(1)} after SMTP, +${memory.raise.toFixed(1)} after POP3S`,
    );
    assert.ok(memory.raise < 32, `resident memory rose by ${memory.raise.toFixed(1)} MiB`);
  },
);

test(
  "10,000 silent connections raise it by less than 200 MiB, and a login beside them is quick",
  { timeout: 180_000 },
  async (t) => {
    await using stack = new AsyncDisposableStack();
    await raiseDescriptorLimit(16_384);
    const server = await startMailkeep(stack, { users: ["box"] });
    await throughServer(server, messageOf(20_000, 5).octets);
    using memory = new MemoryPeak(server.pid);
    using crowd = new SilentCrowd();
    await crowd.join(server.ports.pop3, 10_000, true);
    const times: number[] = [];
    for (let count = 0; count < 50; count += 1) times.push(await loginMilliseconds(server));
    const median = times.toSorted((a, b) => a - b)[25] ?? Number.NaN;
    t.diagnostic(`+${memory.raise.toFixed(1)} MiB; login ${median.toFixed(1)} ms (median of 50, POP3S)`);
    assert.equal(crowd.open, 10_000, "all of them are still there");
    assert.ok(memory.raise < 200, `resident memory rose by ${memory.raise.toFixed(1)} MiB`);
    assert.ok(median < 100, `a login took ${median.toFixed(1)} ms`);
  },
);

async function loginMilliseconds(server: Server): Promise<number> {
  const begin = performance.now();
  await using session = await login(server);
  const milliseconds = performance.now() - begin;
  await session.quit();
  return milliseconds;
}

async function throughServer(server: Server, octets: Buffer): Promise<void> {
  await send(server, octets);
  await fetchLast(server, octets.length);
}

async function send(server: Server, octets: Buffer): Promise<void> {
  await using session = await Smtp.open(server.ports.smtp);
  const [reply] = await session.data("sender@elsewhere.example", [user], octets);
  assert.equal(reply?.code, 250, JSON.stringify(reply));
  await session.quit();
}

/** Fetches the newest message without keeping it. */
async function fetchLast(server: Server, least: number): Promise<void> {
  await using session = await login(server);
  const { messages } = await session.stat();
  await session.must(`RETR ${messages}`);
  const octets = await session.wire.multiline(() => undefined);
  assert.ok(octets >= least, `${octets} octets came`);
  await session.quit();
}

function login(server: Server): Promise<Pop3> {
  return Pop3.login(server.ports.pop3s, user, passwordOf("box"), { tls: "implicit", ca: server.installation.ca });
}
