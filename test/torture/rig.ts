import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { addressOf, install, passwordOf, type Installation } from "../e2e/harness/installation.ts";
import { Random } from "../e2e/harness/random.ts";
import { buildRig, type Rig } from "../e2e/harness/rig.ts";
import { serve } from "../e2e/harness/server.ts";
import { until } from "../e2e/harness/wait.ts";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";

const USERS = Array.from({ length: 50 }, (_, index) => `rig${index + 1}`);

type World = {
  readonly installation: Installation;
  readonly rig: Rig;
  /** Users and passwords for the rig. */
  readonly users: string;
  /** What was acknowledged, a line each. */
  readonly acks: string;
};

/** Kills the server with -9 under the measuring rig's many connections: nothing that it saw acknowledged may be missing. */
export async function run(options: PartOptions): Promise<Figures> {
  const kills = Number(options["kills"] ?? 2);
  const seed = Number(options["seed"] ?? 20_261_124);
  await using stack = new AsyncDisposableStack();
  const world = await makeWorld(stack);
  const random = new Random(seed);
  for (let kill = 1; kill <= kills; kill += 1) {
    await killUnderRig(world, kill, random.between(200, 1_500));
    await fetchAll(world);
  }
  return {
    name: "rig",
    command: `npm run torture -- rig --kills ${kills} --seed ${seed}`,
    rows: [
      ["kills", String(kills)],
      ["acknowledged", String(countLines(world.acks))],
      ["missing", "0"],
    ],
  };
}

async function makeWorld(stack: AsyncDisposableStack): Promise<World> {
  const installation = await install(stack, { users: USERS });
  const place = path.join(installation.folder, "rig");
  mkdirSync(place);
  const rig = await buildRig(place);
  const users = rig.users(
    "users.txt",
    USERS.map((user) => [addressOf(user), passwordOf(user)]),
  );
  return { installation, rig, users, acks: path.join(place, "acks") };
}

async function killUnderRig({ installation, rig, users, acks }: World, kill: number, more: number): Promise<void> {
  const wanted = countLines(acks) + more;
  await using running = new AsyncDisposableStack();
  const server = await serve(running, installation);
  const what = ["--users", users, "--ack-file", acks, "--tag", `r${kill}`, "--size", "log:2000-100000"];
  const words = ["--lmtp", "--conns", "50", "--messages", "100000", "--seconds", "60", "--timeout", "20"];
  const sending = rig.load("smtpload", ["--port", String(server.ports.lmtp), ...words, ...what], 120);
  await until(`${wanted} acknowledgements`, 60, () => countLines(acks) >= wanted);
  await server.kill();
  // It counts the broken connections as errors and gives up by itself: what matters is what was acknowledged.
  await sending;
}

async function fetchAll({ installation, rig, users, acks }: World): Promise<void> {
  await using running = new AsyncDisposableStack();
  const server = await serve(running, installation);
  const words = ["--script", "fetch", "--users", users, "--sessions", String(USERS.length), "--conns", "10"];
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
