import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createAccept } from "../src/intake/accept.ts";
import { Budget } from "../src/intake/budget.ts";
import { createContent } from "../src/intake/content.ts";
import { systemClock } from "../src/lib/clock.ts";
import { ok } from "../src/lib/result.ts";
import type { Address } from "../src/model/address.ts";
import type { AccountId, MailboxId, Uid } from "../src/model/ids.ts";
import { Crowd } from "../src/net/crowd.ts";
import { listen, type Listener } from "../src/net/listener.ts";
import { silentLog, testMetrics } from "../src/observe/testing.ts";
import { smtpHandler } from "../src/smtp/server.ts";
import { openSpool } from "../src/store/bodies/spool.ts";
import { systemDisk } from "../src/store/disk.ts";
import { layoutOf, spoolPath } from "../src/store/layout.ts";
import type { Delivery } from "../src/store/ports.ts";

/*
 * The way in of a large message: listener, protocol, intake and spool are the real ones; only the rows are kept here.
 */

const MIB = 1024 * 1024;

test("a message of 50 MiB, by DATA and by BDAT, lies on disk octet for octet", async () => {
  await using world = await openWorld();
  for (const send of [sendByData, sendByChunks]) {
    const socket = connect({ port: world.port, host: "127.0.0.1" });
    await once(socket, "connect");
    let replies = "";
    socket.setEncoding("latin1").on("data", (text: string) => (replies += text));
    const sent = await send(socket);
    await once(socket, "close");
    assert.match(replies, /\r\n250 2\.0\.0 stored\r\n221 [^\r]*\r\n$/);
    const { body } = world.deliveries.at(-1) ?? assert.fail("nothing was stored");
    assert.ok(body.kind === "file");
    const stored = createHash("sha256");
    const content = createHash("sha256");
    const trace = body.octets - sent.octets;
    let at = 0;
    for await (const piece of createReadStream(world.kept, { start: body.start })) {
      const octets = piece as Buffer;
      stored.update(octets);
      content.update(octets.subarray(Math.max(0, trace - at)));
      at += octets.length;
    }
    assert.equal(at, body.octets);
    assert.equal(stored.digest("hex"), Buffer.from(body.sha256).toString("hex"));
    assert.equal(content.digest("hex"), sent.sha256);
    assert.equal(body.dotted, true);
  }
});

test("a client that vanishes in a large message leaves no file", async () => {
  await using world = await openWorld();
  const socket = connect({ port: world.port, host: "127.0.0.1" });
  await once(socket, "connect");
  socket.resume();
  socket.write(`${ENVELOPE}BDAT 50000000 LAST\r\n`);
  socket.write(Buffer.alloc(2 * MIB, "0123456789abcd\r\n"));
  while ((await readdir(world.layout.spool)).length === 0) await new Promise(setImmediate);
  socket.resetAndDestroy();
  await world.listener.idle();
  while ((await readdir(world.layout.spool)).length > 0) await new Promise(setImmediate);
  assert.deepEqual(world.deliveries, []);
});

const ENVELOPE = "EHLO x\r\nMAIL FROM:<x@b.example>\r\nRCPT TO:<a@example.test>\r\n";
const PIECE = Buffer.from(`Subject: large\r\n\r\n${`${"x".repeat(76)}\r\n`.repeat(2000)}.a line with a dot\r\n`);
const PIECES = Math.ceil((50 * MIB) / PIECE.length) - 1;

type Sent = { readonly octets: number; readonly sha256: string };

async function sendByData(socket: Socket): Promise<Sent> {
  socket.write(`${ENVELOPE}DATA\r\n`);
  const stuffed = Buffer.from(PIECE.toString("latin1").replaceAll("\r\n.", "\r\n.."), "latin1");
  const sent = await sendPieces(socket, stuffed);
  socket.end(".\r\nQUIT\r\n");
  return sent;
}

async function sendByChunks(socket: Socket): Promise<Sent> {
  socket.write(`${ENVELOPE}BDAT ${PIECE.length * PIECES} LAST\r\n`);
  const sent = await sendPieces(socket, PIECE);
  socket.end("QUIT\r\n");
  return sent;
}

async function sendPieces(socket: Socket, piece: Buffer): Promise<Sent> {
  const sha256 = createHash("sha256");
  for (let i = 0; i < PIECES; i += 1) {
    sha256.update(PIECE);
    if (!socket.write(piece)) await once(socket, "drain");
  }
  return { octets: PIECE.length * PIECES, sha256: sha256.digest("hex") };
}

type World = AsyncDisposable & {
  readonly port: number;
  readonly listener: Listener;
  readonly layout: ReturnType<typeof layoutOf>;
  /** Where the last large body went. */
  readonly kept: string;
  readonly deliveries: readonly Delivery[];
};

async function openWorld(): Promise<World> {
  const folder = await mkdtemp(path.join(tmpdir(), "mailkeep-mail-in-"));
  const layout = layoutOf(folder);
  await mkdir(layout.spool, { recursive: true });
  const deliveries: Delivery[] = [];
  const openContent = createContent({
    bodies: { spool: () => openSpool(systemDisk, layout), buffer: (octets) => new ArrayBuffer(octets) },
    budget: new Budget(64 * MIB),
  });
  const deliver = createAccept({
    append: async (delivery) => {
      deliveries.push(delivery);
      // As the store does: from here on the spool file is its own.
      if (delivery.body.kind === "file")
        await rename(spoolPath(layout, delivery.body.spool), path.join(folder, "kept"));
      return ok(delivery.recipients.map(() => ok(1 as Uid)));
    },
    hostname: "mail.example.test",
    clock: systemClock,
    randomId: () => "0a",
  });
  const quota = { octets: 1e9, messages: 1000 };
  const accept = smtpHandler(
    "smtp",
    {
      hostname: "mail.example.test",
      startTls: false,
      limits: { messageOctets: 50 * MIB, recipients: 100, idleSeconds: 300, contentSeconds: 3600 },
    },
    {
      login: () => Promise.reject(new Error("nobody logs in here")),
      scram: () => Promise.reject(new Error("nobody logs in here")),
      stillAllowed: () => Promise.reject(new Error("nobody logs in here")),
      mechanisms: () => assert.fail("nobody logs in here"),
      recipient: async (asGiven) =>
        ok({ asGiven, address: asGiven as Address, account: 1 as AccountId, mailbox: 1 as MailboxId, quota }),
      openContent,
      deliver,
    },
    silentLog,
    testMetrics().metrics,
  );
  const crowd = new Crowd({ connections: 10, clock: systemClock });
  const listener = await listen({
    protocol: "smtp",
    address: { host: "127.0.0.1", port: 0 },
    tls: "none",
    context: () => assert.fail("no TLS here"),
    busyLine: "421 busy\r\n",
    accept,
    crowd,
    metrics: testMetrics().metrics,
    log: silentLog,
  });
  return {
    port: "port" in listener.address ? listener.address.port : 0,
    listener,
    layout,
    kept: path.join(folder, "kept"),
    deliveries,
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      crowd[Symbol.dispose]();
      await rm(folder, { recursive: true });
    },
  };
}
