import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { addressOf, install, passwordOf, type Installation } from "../harness/installation.ts";
import { Random } from "../harness/random.ts";
import { buildRig, type Rig } from "../harness/rig.ts";
import { serve, type Server } from "../harness/server.ts";
import { until } from "../harness/wait.ts";
import { Ledger } from "./ledger.ts";
import { deliver, remove, survey } from "./load.ts";

/*
 * Kills the server with -9 under delivery and deletion, again and again, and holds the maildrops against a ledger kept
 * outside of it: of what got 250 nothing is missing, of what got +OK to QUIT nothing is back, unique ids stay.
 * KILLS says how often, SEED where the moments lie.
 */
const kills = Number(process.env["KILLS"] ?? 50);
const seed = Number(process.env["SEED"] ?? 20_261_124);
const rigKills = Math.max(1, Math.round(kills / 10));
const boxes = ["anna", "bert", "cora", "dora", "emil", "fred"];

test(`${kills} kills under delivery and deletion lose nothing`, { timeout: kills * 30_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack, { users: boxes });
  const ledger = new Ledger();
  const random = new Random(seed);
  for (let kill = 1; kill <= kills && ledger.problems.length === 0; kill += 1) {
    await using running = new AsyncDisposableStack();
    const server = await serve(running, installation);
    await killUnderLoad(server, ledger, random);
    await check(installation, ledger);
    if (kill % 10 === 0) t.diagnostic(`${kill} kills: ${JSON.stringify(ledger.counts)}`);
  }
  t.diagnostic(`seed ${seed}: ${JSON.stringify(ledger.counts)}`);
  assert.deepEqual(ledger.problems, [], `seed ${seed}`);
  assert.ok(ledger.counts.acknowledged > kills && ledger.counts.removed > 0, "there was load");
});

test(`${rigKills} kills under the measuring rig lose nothing`, { timeout: rigKills * 120_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  const users = Array.from({ length: 50 }, (_, index) => `rig${index + 1}`);
  const installation = await install(stack, { users });
  const place = path.join(installation.folder, "rig");
  mkdirSync(place);
  const rig = await buildRig(place);
  const file = rig.users(
    "users.txt",
    users.map((user) => [addressOf(user), passwordOf(user)]),
  );
  const acks = path.join(place, "acks");
  const random = new Random(seed);
  for (let kill = 1; kill <= rigKills; kill += 1) {
    const before = countLines(acks);
    await using running = new AsyncDisposableStack();
    const server = await serve(running, installation);
    const what = ["--users", file, "--ack-file", acks, "--tag", `r${kill}`, "--size", "log:2000-100000"];
    const words = ["--lmtp", "--conns", "50", "--messages", "100000", "--seconds", "60", "--timeout", "20"];
    const sending = rig.load("smtpload", ["--port", String(server.ports.lmtp), ...words, ...what], 120);
    const wanted = before + random.between(200, 1_500);
    await until(`${wanted} acknowledgements`, 60, () => countLines(acks) >= wanted);
    await server.kill();
    // It counts the broken connections as errors and gives up by itself: what matters is what was acknowledged.
    await sending;
    await fetchAll(installation, rig, file, users.length, acks);
  }
  t.diagnostic(`${countLines(acks)} acknowledged`);
});

async function killUnderLoad(server: Server, ledger: Ledger, random: Random): Promise<void> {
  let steps = random.between(1, 400);
  let killed = false;
  let dead: Promise<void> | undefined;
  const kill = () => {
    killed = true;
    return server.kill();
  };
  const step = () => {
    steps -= 1;
    if (steps > 0 || dead !== undefined) return;
    // Most moments lie between two steps of a dialogue: in a write, a sync, a commit.
    const moment = Promise.withResolvers<void>();
    dead = moment.promise.then(kill);
    setTimeout(moment.resolve, random.between(0, 8));
  };
  const over = () => killed;
  const round = { server, ledger, random, boxes, step, over };
  await Promise.all([
    deliver(round, "lmtp"),
    deliver(round, "smtp"),
    deliver(round, "lmtp"),
    deliver(round, "smtp"),
    remove(round, boxes.slice(0, 3)),
    remove(round, boxes.slice(3)),
  ]);
  assert.ok(dead !== undefined, `the server ended by itself\n${server.output.slice(-3000)}`);
  await dead;
}

/** Starts it again, and looks at every maildrop. */
async function check(installation: Installation, ledger: Ledger): Promise<void> {
  await using running = new AsyncDisposableStack();
  const server = await serve(running, installation);
  for (const box of boxes) ledger.check(box, await survey(server, box));
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, "it stops in good order");
}

async function fetchAll(installation: Installation, rig: Rig, file: string, sessions: number, acks: string) {
  await using running = new AsyncDisposableStack();
  const server = await serve(running, installation);
  const words = ["--script", "fetch", "--users", file, "--sessions", String(sessions), "--conns", "10"];
  const where = ["--port", String(server.ports.pop3s), "--tls", "--manifest", acks, "--seconds", "100"];
  const found = await rig.load("popload", [...where, ...words], 110);
  assert.deepEqual(found.errors, {});
  const { missing, duplicate } = found["manifest"] as { missing: number; duplicate: number };
  assert.deepEqual({ missing, duplicate }, { missing: 0, duplicate: 0 });
}

function countLines(file: string): number {
  try {
    return readFileSync(file, "latin1").split("\n").length - 1;
  } catch {
    return 0;
  }
}
