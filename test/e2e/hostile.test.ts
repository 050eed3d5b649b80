import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import tls from "node:tls";
import { addressOf, passwordOf } from "./harness/installation.ts";
import { deliver, login, maildropHolds } from "./harness/maildrop.ts";
import { MemoryPeak } from "./harness/memory.ts";
import { Pop3 } from "./harness/pop3.ts";
import { startMailkeep, type Server } from "./harness/server.ts";
import { until, within } from "./harness/wait.ts";
import { Wire } from "./harness/wire.ts";

/*
 * Issue 4, "Hostile clients": whatever a client does ends in a reply or a close, in bounded time and memory, and the
 * maildrop is as it was.
 */
const user = "box";
const mostMib = 64;
const handshakeSeconds = 5;
const stallSeconds = 10;
const commands = 100_000;

type Attack = (server: Server) => Promise<unknown>;

/** The server closes, and says no more than this before. */
async function endsWith(wire: Wire, said: RegExp, seconds = 20): Promise<void> {
  assert.match(await within("the server's close", seconds, wire.closed()), said);
}

/** Pushes octets until the server has closed or has taken all of them. */
async function push(wire: Wire, piece: Buffer, times: number): Promise<void> {
  try {
    for (let time = 0; time < times && !wire.finished; time += 1) await wire.send(piece);
  } catch (cause) {
    // The server has closed in the middle of it.
    assert.match(String((cause as NodeJS.ErrnoException).code), /^(EPIPE|ECONNRESET)$/);
  }
}

/** Logs in and marks the first message, which must be there afterwards. */
async function marked(server: Server): Promise<Pop3> {
  const session = await login(server, user);
  await session.must("DELE 1");
  return session;
}

/** The lease ends with the connection: nobody is locked out. */
async function letsIn(server: Server): Promise<void> {
  await until("the maildrop to be free", 20, async () => {
    await using session = await Pop3.open(server.ports.pop3s, { tls: "implicit", ca: server.installation.ca });
    await session.must(`USER ${addressOf(user)}`);
    return (await session.command(`PASS ${passwordOf(user)}`)).startsWith("+OK");
  });
}

const lines: Record<string, Attack> = {
  "a line without end": async ({ ports }) => {
    await using session = await Pop3.open(ports.pop3);
    await push(session.wire, Buffer.alloc(64 * 1024, "A"), 64);
    await endsWith(session.wire, /^(-ERR .*\r\n)?$/);
  },
  "a line without end after the login": async (server) => {
    await using session = await marked(server);
    await push(session.wire, Buffer.alloc(64 * 1024, "A"), 64);
    await endsWith(session.wire, /^(-ERR .*\r\n)?$/);
  },
  "NULs and other octets that no command has": async (server) => {
    await using session = await marked(server);
    for (const line of [
      "\0",
      "NO\0OP",
      "NOOP\0",
      "DELE 2\0",
      "RETR \x001",
      "\xff\xfe",
      "\x1b[2J",
      "\x7f".repeat(200),
    ]) {
      assert.match(await session.command(line), /^-ERR/, JSON.stringify(line));
    }
    assert.equal((await session.stat()).messages, 24);
    await session.must("RSET");
  },
  "line ends of other kinds": async (server) => {
    await using session = await login(server, user);
    await session.wire.send("NOOP\nNOOP\n");
    assert.deepEqual(
      [await session.wire.line(), await session.wire.line()].map((line) => line.slice(0, 3)),
      ["+OK", "+OK"],
    );
    assert.match(await session.command("NOOP\rDELE 1"), /^-ERR/);
    assert.equal((await session.stat()).messages, 25);
  },
};

const ends: Record<string, Attack> = {
  "octets behind QUIT": async (server) => {
    await using session = await login(server, user);
    await session.wire.send(`QUIT\r\nDELE 1\r\nQUIT\r\n${"NOOP\r\n".repeat(20_000)}`);
    await endsWith(session.wire, /^\+OK [^\r\n]*\r\n$/);
  },
  "a half-closed connection without QUIT": async (server) => {
    await using session = await marked(server);
    session.wire.socket.end();
    await endsWith(session.wire, /^$/);
  },
  "a half-closed connection in the middle of a command": async (server) => {
    await using session = await marked(server);
    session.wire.socket.end("QUI");
    await endsWith(session.wire, /^(-ERR .*\r\n)?$/);
  },
  "half-closed before the handshake, and in it": async ({ ports }) => {
    for (const first of ["", "\x16\x03\x01\x02\x00\x01"]) {
      await using wire = await Wire.open(ports.pop3s);
      wire.socket.end(first, "latin1");
      await endsWith(wire, /^[^+]*$/);
    }
  },
  "a reset connection": async (server) => {
    const { beneath, secure } = await secured(server);
    secure.write("RETR 2\r\nRETR 3\r\nQUIT");
    beneath.resetAndDestroy();
  },
};

const floods: Record<string, Attack> = {
  [`${commands} pipelined commands`]: async (server) => {
    await using session = await login(server, user);
    const sending = session.wire.send(`${"NOOP\r\n".repeat(commands)}STAT\r\n`);
    for (let answer = 0; answer < commands; answer += 1) assert.match(await session.wire.line(), /^\+OK/);
    await sending;
    assert.match(await session.wire.line(), /^\+OK 25 /);
  },
  [`${commands} pipelined commands that are none, before a login`]: async ({ ports }) => {
    await using session = await Pop3.open(ports.pop3);
    await push(session.wire, Buffer.from("X\r\n".repeat(commands / 10)), 10);
    session.wire.socket.end();
    const said = await within("the server's close", 20, session.wire.closed());
    assert.match(said, /^(-ERR [^\r\n]*\r\n)*$/);
  },
  "a reader that stops, with QUIT behind": async (server) => {
    await using session = await marked(server);
    const { socket } = session.wire;
    socket.pause();
    await session.wire.send(`${"RETR 2\r\nLIST\r\nUIDL\r\n".repeat(20_000)}QUIT\r\n`);
    await until("the stalled session to be cut", stallSeconds + 20, () =>
      server.events("pop3.session").some((line) => line["end"] === "stalled"),
    );
  },
};

const tlsAttacks: Record<string, Attack> = {
  "STLS with clear text behind it": async (server) => {
    await using session = await Pop3.open(server.ports.pop3);
    await session.wire.send("STLS\r\nUSER mallory\r\n");
    await endsWith(session.wire, /^-ERR .*\r\n$/);
    await server.event("pop3.attack", 5);
  },
  "STLS, then clear text in place of the handshake": async (server) => {
    await using session = await Pop3.open(server.ports.pop3);
    await session.must("STLS");
    await session.wire.send("USER mallory\r\nPASS x\r\n");
    await endsWith(session.wire, /^[^+]*$/);
  },
  "a handshake at a few octets a second": async ({ ports }) => {
    await using wire = await Wire.open(ports.pop3s);
    const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, ...Buffer.alloc(400)]);
    let sent = 0;
    const drip = setInterval(() => wire.socket.write(hello.subarray(sent, (sent += 1))), 250);
    try {
      await endsWith(wire, /^[^+]*$/, handshakeSeconds + 10);
    } finally {
      clearInterval(drip);
    }
  },
  "alerts in place of the handshake": async ({ ports }) => {
    for (const alert of [
      "\x15\x03\x03\0\x02\x01\0",
      "\x15\x03\x03\0\x02\x02\x28",
      "\x15\x03\x03\0\x02\x01\x5a".repeat(1000),
    ]) {
      await using wire = await Wire.open(ports.pop3s);
      await push(wire, Buffer.from(alert, "latin1"), 1);
      await endsWith(wire, /^[^+]*$/);
    }
  },
  "octets that are no TLS, in the middle of a session": async (server) => {
    for (const spoilt of ["\x15\x03\x03\0\x02\x02\x28", "\x17\x03\x03\0\x20" + "x".repeat(32), "QUIT\r\n"]) {
      const { beneath, closed } = await secured(server);
      beneath.write(spoilt, "latin1");
      await within("the server's close", 20, closed);
      await letsIn(server);
    }
  },
  "renegotiation, again and again": async (server) => {
    const { secure, closed } = await secured(server, { maxVersion: "TLSv1.2" });
    secure.setMaxListeners(200);
    let completed = 0;
    for (let time = 0; time < 100 && !secure.destroyed; time += 1)
      secure.renegotiate({}, (cause) => (completed += cause ? 0 : 1));
    await within("the server's close", 20, closed);
    assert.equal(completed, 0);
  },
};

const auths: Record<string, Attack> = {
  "AUTH whose answer has no end": async ({ ports, installation: { ca } }) => {
    await using session = await Pop3.open(ports.pop3s, { tls: "implicit", ca });
    await session.wire.send("AUTH PLAIN\r\n");
    assert.match(await session.wire.line(), /^\+ ?$/);
    await push(session.wire, Buffer.alloc(64 * 1024, "QUFB"), 64);
    await endsWith(session.wire, /^(-ERR .*\r\n)?$/);
  },
  "AUTH with answers without end": async ({ ports, installation: { ca } }) => {
    await using session = await Pop3.open(ports.pop3s, { tls: "implicit", ca });
    await push(session.wire, Buffer.from("AUTH LOGIN\r\n*\r\n".repeat(5000)), 10);
    session.wire.socket.end();
    const said = await within("the server's close", 20, session.wire.closed());
    assert.match(said, /^(\+ [\w=]*\r\n|-ERR [^\r\n]*\r\n)*$/);
  },
};

/** A session by POP3S that has marked a message, with the connection beneath it at hand. */
async function secured({ ports, installation: { ca } }: Server, options: tls.ConnectionOptions = {}) {
  const beneath = net.connect(ports.pop3s, "127.0.0.1");
  await once(beneath, "connect");
  const secure = tls.connect({ socket: beneath, ca, servername: "localhost", ...options });
  secure.on("error", () => undefined);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  secure.once("close", () => resolve());
  let heard = "";
  secure.on("data", (data: Buffer) => (heard += data.toString("latin1")));
  secure.write(`USER ${addressOf(user)}\r\nPASS ${passwordOf(user)}\r\nDELE 1\r\n`);
  await until("a login", 20, () => heard.split("\r\n").length > 4);
  assert.match(heard, /^(\+OK [^\r\n]*\r\n){4}$/);
  return { beneath, secure, closed };
}

test("hostile clients", { timeout: 300_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  const limits = { tls_handshake_seconds: handshakeSeconds, pop3_write_stall_seconds: stallSeconds };
  const server = await startMailkeep(stack, { users: [user], config: { limits } });
  const mail = await deliver(server, user, 25, 51);
  await maildropHolds(server, user, mail);
  for (const [name, attack] of Object.entries({ ...lines, ...ends, ...floods, ...tlsAttacks, ...auths })) {
    await t.test(name, async (inner) => {
      using memory = new MemoryPeak(server.pid);
      await attack(server);
      await letsIn(server);
      await maildropHolds(server, user, mail);
      inner.diagnostic(`+${memory.raise.toFixed(1)} MiB`);
      assert.ok(memory.raise < mostMib, `resident memory rose by ${memory.raise.toFixed(1)} MiB`);
      assert.ok(server.running, "it did not crash");
    });
  }
  assert.deepEqual(server.events("thread.died"), []);
  assert.deepEqual(server.events("connection.failed"), []);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});
