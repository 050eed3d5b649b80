import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test, type TestContext } from "node:test";
import tls from "node:tls";
import { raiseDescriptorLimit } from "./harness/crowd.ts";
import { addressOf, importUsers, install, passwordOf, type Installation } from "./harness/installation.ts";
import { MemoryPeak } from "./harness/memory.ts";
import { messageOf } from "./harness/messages.ts";
import { Pop3 } from "./harness/pop3.ts";
import { serve, type Server } from "./harness/server.ts";
import { Smtp } from "./harness/smtp.ts";
import { mustRun } from "./harness/process.ts";
import { until } from "./harness/wait.ts";

// Issue "POP3, complete and true", line 4. STALLED chooses how many readers there are.
const readers = Number(process.env["STALLED"] ?? 2000);
const MIB = 1024 * 1024;
const KIB = 1024;
const stallSeconds = 30;
const atOnce = 50;
const recipientsAtOnce = 1000;

test(`${readers} readers that stop in a 10 MiB RETR`, { timeout: 800_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  await raiseDescriptorLimit(16_384);
  const installation = await install(stack, {
    users: ["owner"],
    config: { auth: { allow_cleartext: true }, limits: { pop3_write_stall_seconds: stallSeconds } },
  });
  const names = Array.from({ length: readers }, (_, index) => `reader-${index}`);
  await importAll(installation, names);
  {
    const server = await serve(stack, installation);
    await deliver(server, names, messageOf(10 * MIB, 7).octets);
    await deliver(server, [...names, "owner"], messageOf(500, 8).octets);
    await server.stop();
  }
  for (const [how, mostKib] of [
    ["clear", 80],
    ["TLS", 200],
  ] as const) {
    await t.test(`${how}: less than ${mostKib} KiB each, and nothing deleted`, async (part) => {
      // A server of its own: what the readers before left in memory would hide what these take.
      const server = await serve(stack, installation);
      try {
        await stopInTheMiddle(server, how, names, mostKib, part);
      } finally {
        await server.stop();
      }
    });
  }
});

async function stopInTheMiddle(
  server: Server,
  how: "clear" | "TLS",
  names: readonly string[],
  mostKib: number,
  t: TestContext,
): Promise<void> {
  // What the first sessions load and fill stays; it is not theirs.
  await login(server, "owner");
  using memory = new MemoryPeak(server.pid);
  const sockets = new Set<net.Socket>();
  using _ = { [Symbol.dispose]: () => sockets.forEach((socket) => socket.destroy()) };
  for (let opened = 0; opened < readers; opened += atOnce) {
    const some = names.slice(opened, opened + atOnce);
    await Promise.all(some.map((name, index) => stall(server, how, name, index, sockets)));
  }
  assert.equal(sockets.size, readers, "all of them are stopped in their RETR");
  const each = (memory.raise * KIB) / readers;
  const times: number[] = [];
  for (let count = 0; count < 20; count += 1) times.push(await login(server, "owner"));
  const median = times.toSorted((a, b) => a - b)[10] ?? Number.NaN;
  t.diagnostic(`${each.toFixed(1)} KiB a session; a login beside them ${median.toFixed(1)} ms (median of 20, POP3S)`);
  assert.ok(each < mostKib, `${each.toFixed(1)} KiB a session`);
  assert.ok(median < 100, `a login took ${median.toFixed(1)} ms`);

  // A client that reads nothing does not hear of its end; the server says so.
  const ended = () => server.events("pop3.session").filter(({ end }) => end === "stalled").length;
  await until("the stalled readers to be gone", stallSeconds * 4, () => ended() === readers);
  for (const name of [names[0], names[Math.floor(readers / 2)], names.at(-1)]) {
    assert.ok(name !== undefined);
    await using session = await open(server, name);
    // Each had marked its second message.
    assert.equal((await session.stat()).messages, 2, `${name} has all of its mail`);
    await session.quit();
  }
}

/** Imported with a hash that costs nothing to check: two thousand logins are not what is measured. */
async function importAll(installation: Installation, names: readonly string[]): Promise<void> {
  const hash = await mustRun("openssl", ["passwd", "-1", "-salt", "stalled", passwordOf("reader")]);
  await importUsers(
    installation,
    names.map((name) => [addressOf(name), `{MD5-CRYPT}${hash.text.trim()}`]),
  );
}

async function deliver(server: Server, names: readonly string[], octets: Buffer): Promise<void> {
  await using sender = await Smtp.open(server.ports.smtp);
  for (let at = 0; at < names.length; at += recipientsAtOnce) {
    const to = names.slice(at, at + recipientsAtOnce).map(addressOf);
    const replies = await sender.data("sender@elsewhere.example", to, octets);
    assert.ok(
      replies.every(({ code }) => code === 250),
      JSON.stringify(replies.at(-1)),
    );
  }
  await sender.quit();
}

/** Logs in, marks message 2, asks for message 1, and reads no more once it comes. */
async function stall(server: Server, how: "clear" | "TLS", name: string, index: number, sockets: Set<net.Socket>) {
  const { ports, installation } = server;
  const localAddress = `127.0.${1 + (index % 100)}.${1 + (index % 50)}`;
  const port = how === "TLS" ? ports.pop3s : ports.pop3;
  const plain = net.connect({ port, host: "127.0.0.1", localAddress });
  const socket = how === "TLS" ? tls.connect({ socket: plain, ca: installation.ca, servername: "localhost" }) : plain;
  socket.on("error", () => undefined);
  await once(socket, how === "TLS" ? "secureConnect" : "connect");
  socket.write(`USER ${addressOf(name)}\r\nPASS ${passwordOf("reader")}\r\nDELE 2\r\nRETR 1\r\n`);
  let said = "";
  while (!/\+OK [0-9]+ octets/.test(said)) {
    const [piece] = (await once(socket, "data")) as [Buffer];
    said = (said + piece.toString("latin1")).slice(-200_000);
    assert.ok(!said.includes("-ERR"), said.slice(0, 300));
  }
  socket.pause();
  sockets.add(socket);
}

async function login(server: Server, name: string): Promise<number> {
  const begin = performance.now();
  await using session = await open(server, name);
  const milliseconds = performance.now() - begin;
  await session.quit();
  return milliseconds;
}

function open(server: Server, name: string): Promise<Pop3> {
  const { ports, installation } = server;
  const password = name === "owner" ? passwordOf("owner") : passwordOf("reader");
  return Pop3.login(ports.pop3s, addressOf(name), password, { tls: "implicit", ca: installation.ca });
}
