import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { systemClock } from "../lib/clock.ts";
import { OVERLONG, type Line } from "../lib/lines.ts";
import { silentLog, testMetrics } from "../observe/testing.ts";
import { Crowd } from "./crowd.ts";
import { Drive, type Driven } from "./drive.ts";
import { listen } from "./listener.ts";
import { TestClient, testContext } from "./testing.ts";

const timeout = { timeout: 10_000 };

/** A protocol of four commands, to have something to drive. */
class Toy implements Driven {
  readonly drive: Drive;
  readonly lines: Line[] = [];
  readonly calls: string[] = [];
  readonly closing = Promise.withResolvers<void>();
  body = 0;

  constructor(drive: Drive) {
    this.drive = drive;
    drive.say("ready\r\n");
  }

  line(line: Line): void {
    this.lines.push(line);
    if (line === OVERLONG) return this.drive.say("too long\r\n");
    const [word = "", count = "0"] = line.split(" ");
    if (word === "wait") this.drive.hold();
    else if (word === "piece") {
      this.drive.hold();
      this.drive.write(Buffer.alloc(Number(count), "p"), () => this.drive.go());
    } else if (word === "body") {
      this.body = Number(count);
      this.drive.takeContent(this.body > 0);
    } else if (word === "big") this.drive.say(`${"b".repeat(Number(count))}\r\n`);
    else if (word === "tls") {
      this.drive.say(`behind ${this.drive.behind}\r\n`);
      this.drive.startTls();
    } else if (word === "quit") {
      this.drive.say("bye\r\n");
      this.drive.end();
    } else this.drive.say(`${line}!\r\n`);
  }

  content(octets: Buffer): number {
    const taken = Math.min(this.body, octets.length);
    this.body -= taken;
    if (this.body > 0) return taken;
    this.drive.takeContent(false);
    this.drive.say("body taken\r\n");
    return taken;
  }

  secured(): void {
    this.drive.say("secured\r\n");
  }

  shutdown(): void {
    this.drive.end();
  }

  closed(): void {
    this.calls.push("closed");
    this.closing.resolve();
  }

  tick(): void {
    this.calls.push("tick");
  }

  stalled(): void {
    this.calls.push("stalled");
  }
}

async function rig(context: TestContext) {
  let now = 0;
  const crowd = new Crowd({ connections: 10, clock: { ...systemClock, monotonic: () => now } });
  const secureContext = await testContext();
  const toys: Toy[] = [];
  const options = { lineOctets: 1024, bareLf: false, writeStallSeconds: 60 };
  const listener = await listen({
    protocol: "smtp",
    address: { host: "127.0.0.1", port: 0 },
    tls: "starttls",
    context: () => secureContext,
    busyLine: "",
    accept: (connection) =>
      new Drive(connection, options, (drive) => {
        const toy = new Toy(drive);
        toys.push(toy);
        return toy;
      }),
    crowd,
    metrics: testMetrics().metrics,
    log: silentLog,
  });
  const client = await TestClient.connect(listener.address);
  context.after(async () => {
    client[Symbol.dispose]();
    await listener[Symbol.asyncDispose]();
    crowd[Symbol.dispose]();
  });
  assert.equal(await client.line(), "ready");
  const [toy] = toys;
  assert.ok(toy);
  const sweepAt = (ms: number): void => {
    now = ms;
    crowd.sweep();
  };
  return { client, toy, listener, sweepAt };
}

test("a batch is answered in order; content stands between lines", timeout, async (context) => {
  const { client, toy } = await rig(context);
  client.send("one\r\nbody 7\r\n\r\n.\r\n\r\ntwo\r\nbody 3\r\nab");
  assert.equal(await client.through("two!\r\n"), "one!\r\nbody taken\r\ntwo!\r\n");
  client.send("cthree\r\nquit\r\nfour\r\n");
  assert.equal(await client.rest(), "body taken\r\nthree!\r\nbye\r\n");
  assert.ok(!toy.lines.includes("four"));
});

test(
  "P6 while the protocol waits nothing is fed, and input is bounded by pausing the peer",
  timeout,
  async (context) => {
    const { client, toy } = await rig(context);
    client.send("wait\r\n");
    const line = `${"x".repeat(98)}\r\n`;
    const lines = 160_000;
    client.send(line.repeat(lines));
    // The peer's kernel and ours are full when nothing moves any more.
    while (toy.drive.behind < 64 * 1024) await new Promise(setImmediate);
    let last = -1;
    for (let quiet = 0; quiet < 50; quiet = client.socket.writableLength === last ? quiet + 1 : 0) {
      last = client.socket.writableLength;
      await new Promise(setImmediate);
    }
    assert.ok(toy.drive.behind < 256 * 1024, `${toy.drive.behind}`);
    assert.ok(client.socket.writableLength > 0);
    assert.equal(toy.lines.length, 1);
    toy.drive.go();
    client.send("quit\r\n");
    const answer = await client.rest();
    assert.equal(answer.length, lines * 101 + "bye\r\n".length);
  },
);

test("a client that does not read gets no more answers, and in the end is cut", timeout, async (context) => {
  const { client, toy, sweepAt } = await rig(context);
  client.socket.pause();
  client.send("big 1000000\r\n".repeat(100));
  while (toy.drive.connection.unsent === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  const answered = toy.lines.length;
  assert.ok(answered < 20, `${answered} answered`);
  for (let second = 1; second <= 61; second += 1) sweepAt(second * 1000);
  assert.ok(!toy.calls.includes("stalled"));
  sweepAt(63_000);
  await toy.closing.promise;
  assert.deepEqual(toy.calls.slice(-2), ["stalled", "closed"]);
  assert.equal(toy.lines.length, answered);
});

test("a client that reads again gets all answers", timeout, async (context) => {
  const { client } = await rig(context);
  client.socket.pause();
  client.send(`${"big 100000\r\n".repeat(100)}quit\r\n`);
  await new Promise(setImmediate);
  client.socket.resume();
  assert.equal((await client.rest()).length, 100 * 100_002 + 5);
});

test("P9 what is pipelined behind a large piece is answered once the piece has left", timeout, async (context) => {
  const { client } = await rig(context);
  client.socket.pause();
  client.send("piece 30000000\r\nfirst\r\npiece 30000000\r\nsecond\r\nquit\r\n");
  await new Promise(setImmediate);
  client.socket.resume();
  const answers = await client.rest();
  assert.equal(answers.replaceAll(/p+/g, "p"), "pfirst!\r\npsecond!\r\nbye\r\n");
});

test(
  "P9 who sends many thousands of commands at once is answered by parts, and all others between them",
  timeout,
  async (context) => {
    const { client, toy } = await rig(context);
    const count = 30_000;
    client.send(Array.from({ length: count }, (_, index) => `${index}\r\n`).join(""));
    client.finish();
    const answers = client.rest();
    let most = 0;
    for (let before = 0; toy.lines.length < count; before = toy.lines.length) {
      await new Promise(setImmediate);
      most = Math.max(most, toy.lines.length - before);
    }
    assert.ok(most > 0 && most < 5000, `${most} within one turn of the loop`);
    assert.equal(await answers, Array.from({ length: count }, (_, index) => `${index}!\r\n`).join(""));
    await toy.closing.promise;
  },
);

test("a half-closed client hears the answers to all it sent", timeout, async (context) => {
  const { client, toy } = await rig(context);
  client.send("one\r\nwait\r\ntwo\r\nunfinished");
  client.finish();
  assert.equal(await client.line(), "one!");
  await new Promise(setImmediate);
  toy.drive.go();
  assert.equal(await client.rest(), "two!\r\n");
  await toy.closing.promise;
});

test("2449-01 a line without end is answered once, and is the end when it goes on", timeout, async (context) => {
  const { client, toy } = await rig(context);
  client.send("x".repeat(2000));
  assert.equal(await client.line(), "too long");
  client.send(`x\r\none\r\n`);
  assert.equal(await client.line(), "one!");
  client.send("y".repeat(2 << 20));
  assert.equal(await client.rest(), "too long\r\n");
  client.finish();
  await toy.closing.promise;
});

test("TLS-02 what stands behind the command is told, and never used after the handshake", timeout, async (context) => {
  const { client, toy } = await rig(context);
  client.send("tls\r\n");
  assert.equal(await client.line(), "behind 0");
  await client.startTls();
  assert.equal(await client.line(), "secured");
  client.send("one\r\n");
  assert.equal(await client.line(), "one!");
  assert.deepEqual(toy.lines, ["tls", "one"]);
});

test("TLS-02 clear text behind the command does not survive", timeout, async (context) => {
  const { client, toy } = await rig(context);
  client.send("tls\r\nevil\r\nev");
  assert.equal(await client.line(), "behind 8");
  await client.startTls();
  assert.equal(await client.line(), "secured");
  client.send("one\r\n");
  assert.equal(await client.line(), "one!");
  assert.deepEqual(toy.lines, ["tls", "one"]);
});

test("shutdown and ticks reach the protocol", timeout, async (context) => {
  const { client, toy, listener, sweepAt } = await rig(context);
  sweepAt(1000);
  listener.shutdown();
  assert.equal(await client.rest(), "");
  client.finish();
  await once(client.socket, "close");
  await toy.closing.promise;
  assert.deepEqual(toy.calls, ["tick", "closed"]);
});
