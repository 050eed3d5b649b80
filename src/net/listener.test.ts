import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { TestClient } from "./testing.ts";
import { Rig } from "./testing-rig.ts";

const timeout = { timeout: 5_000 };

test("octets go both ways, latin1, and the peer is known", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  assert.equal(await client.line(), "hello");
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  rig.last.onData = () => resolve();
  client.send("\xe4\0x");
  await heard;
  assert.deepEqual(rig.last.heard, ["\xe4\0x"]);
  const taken = Promise.withResolvers<void>();
  rig.last.connection.cork();
  rig.last.connection.write("\xff");
  rig.last.connection.write(Buffer.from("y\r\n"), taken.resolve);
  rig.last.connection.uncork();
  await taken.promise;
  assert.equal(rig.last.connection.unsent, 0);
  assert.equal(await client.line(), "\xffy");
  assert.deepEqual(rig.last.connection.peer, { address: "127.0.0.1", port: client.socket.localPort });
  assert.equal(rig.last.connection.tls, undefined);
  assert.equal(rig.sample('mailkeep_connections_open{protocol="pop3"}'), 1);
});

test("the peer's FIN is told, and what is written after it still arrives", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  client.finish();
  await rig.last.isEnded;
  rig.last.connection.write("still here\r\n");
  rig.last.connection.end();
  rig.last.connection.write("too late\r\n");
  assert.equal(await client.rest(), "still here\r\n");
  await rig.last.isClosed;
  assert.deepEqual(rig.last.calls, ["ended", "closed"]);
});

test("a reset ends in exactly one closed, and taken is not called after it", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  let taken = false;
  client.socket.resetAndDestroy();
  await rig.last.isClosed;
  rig.last.connection.write("x", () => {
    taken = true;
  });
  rig.last.connection.end();
  rig.last.connection.startTls();
  await listener.idle();
  assert.deepEqual(
    rig.last.calls.filter((call) => call === "closed"),
    ["closed"],
  );
  assert.equal(taken, false);
  assert.equal(listener.connections, 0);
});

test("P9 a close ends within its deadline though the peer keeps its half open", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  rig.last.connection.end();
  assert.equal(await client.rest(), "");
  rig.now = 10_000;
  rig.crowd.sweep();
  await rig.last.isClosed;
  assert.deepEqual(rig.last.calls, ["closed"]);
});

test("what is pushed after our FIN is dropped, and too much of it is a reset", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  rig.last.connection.end();
  client.send("x".repeat(1 << 20));
  await rig.last.isClosed;
  assert.deepEqual(rig.last.heard, []);
});

test("a reader that takes nothing is seen to stall, one that takes slowly is not", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  const { connection } = rig.last;
  rig.crowd.sweep();
  assert.equal(connection.stalledSince, Infinity);
  client.socket.pause();
  const piece = Buffer.alloc(8 << 20, "x");
  connection.write(piece);
  await new Promise(setImmediate);
  for (rig.now = 1000; rig.now <= 60_000; rig.now += 1000) rig.crowd.sweep();
  assert.ok(connection.unsent > 0);
  assert.ok(connection.stalledSince <= 2000, `${connection.stalledSince}`);
  client.socket.resume();
  await once(client.socket, "data");
  while (client.received.length < piece.length) await once(client.socket, "data");
  rig.crowd.sweep();
  assert.equal(connection.stalledSince, Infinity);
});

test("P9 a reader on a slow line, who wakes no writer for minutes, is not seen to stall", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  const { connection } = rig.last;
  client.socket.pause();
  connection.write(Buffer.alloc(32 << 20, "x"));
  const second = async (): Promise<void> => {
    rig.now += 1000;
    rig.crowd.sweep();
    await rig.crowd.queues.refresh(rig.now);
  };
  let longest = 0;
  for (let seconds = 0; seconds < 120; seconds += 1) {
    await second();
    client.socket.resume();
    await once(client.socket, "data");
    client.socket.pause();
    // The first seconds fill the buffers of both ends.
    if (seconds > 30) longest = Math.max(longest, rig.now - connection.stalledSince);
  }
  assert.ok(connection.unsent > 0);
  assert.ok(longest > 0 && longest <= 12_000, `${longest} ms without a sign of life`);
});

test("over the limit the busy line is said and nothing is served", timeout, async () => {
  await using rig = new Rig(undefined, 1);
  const listener = await rig.listen();
  using first = await TestClient.connect(listener.address);
  await first.line();
  using second = await TestClient.connect(listener.address);
  assert.equal(await second.rest(), "busy\r\n");
  assert.equal(rig.handlers.length, 1);
  assert.equal(rig.sample('mailkeep_connections_refused_total{protocol="pop3"}'), 1);
  first.finish();
  rig.last.connection.end();
  await listener.idle();
  using third = await TestClient.connect(listener.address);
  assert.equal(await third.line(), "hello");
});

test("an error of the protocol's own ends its connection only, and says where it was", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  rig.last.onData = () => {
    throw new Error("a mistake of ours");
  };
  client.send("x");
  await client.closed();
  using second = await TestClient.connect(listener.address);
  assert.equal(await second.line(), "hello");
  const [failed] = rig.events;
  assert.equal(failed?.event, "connection.failed");
  assert.match(JSON.stringify(failed?.fields), /a mistake of ours.*listener\.test\.ts/);
});

test("shutdown stops accepting and tells every session; ticks come by the sweep", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  rig.crowd.sweep();
  listener.shutdown();
  assert.equal(await client.rest(), "");
  client.finish();
  await listener.idle();
  assert.deepEqual(rig.last.calls, ["tick", "shutdown", "closed"]);
  await assert.rejects(TestClient.connect(listener.address), { code: "ECONNREFUSED" });
});

test("a stop lets go at once of a client that has everything and only keeps its end open", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  rig.last.connection.write("bye\r\n");
  rig.last.connection.end();
  assert.equal(await client.rest(), "bye\r\n");
  // Its kernel might take its time to acknowledge; what it sends says so by the way.
  client.send("and another thing");
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  assert.equal(listener.connections, 1);
  listener.shutdown();
  await listener.idle();
  assert.deepEqual(rig.last.calls, ["shutdown", "closed"]);
});

test("a stop waits for a client that has not taken all yet", timeout, async () => {
  await using rig = new Rig();
  const listener = await rig.listen();
  using client = await TestClient.connect(listener.address);
  await client.line();
  client.socket.pause();
  rig.last.connection.write(Buffer.alloc(8 << 20, "x"));
  rig.last.connection.end();
  listener.shutdown();
  await rig.crowd.queues.refresh(0);
  for (rig.now = 1000; rig.now < 10_000; rig.now += 1000) rig.crowd.sweep();
  assert.equal(listener.connections, 1);
  client.socket.resume();
  assert.equal((await client.rest()).length, 8 << 20);
});

test("a port that is in use is refused", timeout, async () => {
  await using rig = new Rig();
  const { address } = await rig.listen();
  await assert.rejects(rig.listen({ address }), { code: "EADDRINUSE" });
});

test("a unix socket: a stale file is replaced, a living one and a file of somebody's are not", timeout, async () => {
  const folder = await mkdtemp(join(tmpdir(), "mailkeep-net-"));
  const path = join(folder, "lmtp.sock");
  // What a killed server leaves behind.
  const server = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  const { signal } = spawnSync(process.execPath, ["-e", server]);
  assert.equal(signal, "SIGKILL");
  assert.ok((await stat(path)).isSocket());
  await using rig = new Rig();
  const listener = await rig.listen({ address: { path } });
  assert.equal((await stat(path)).mode & 0o777, 0o666);
  using client = await TestClient.connect(listener.address);
  assert.equal(await client.line(), "hello");
  assert.equal(rig.last.connection.peer.address, "unix");
  await assert.rejects(rig.listen({ address: { path } }), { code: "EADDRINUSE" });
  const file = join(folder, "letter");
  await writeFile(file, "kept");
  await assert.rejects(rig.listen({ address: { path: file } }), { code: "EADDRINUSE" });
  assert.ok((await stat(file)).isFile());
  await listener[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
