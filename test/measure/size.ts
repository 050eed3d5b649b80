import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { assertConsistent } from "../contracts/store-consistency.ts";
import { addressOf, install, passwordOf, type Installation } from "../e2e/harness/installation.ts";
import { scratch } from "../e2e/harness/scratch.ts";
import { serve, type Server } from "../e2e/harness/server.ts";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { measureDelivery } from "./size/delivery.ts";
import { Others, type Waits } from "./size/others.ts";
import { assertWithin, rowsOf, type Measured } from "./size/report.ts";
import { restoreAll, type Restored } from "./size/restore.ts";
import { round, type Round } from "./size/round.ts";
import { seedMaildrop } from "./size/seed.ts";

const SMALL = ["ann", "bob", "cem", "dee"];
const QUIET_MS = 3000;
const CONFIG = { auth: { allow_cleartext: true }, server: { threads: 2 } };

/**
 * "Size" of issue 5: a maildrop of a million messages in a server with its default configuration and two protocol threads,
 * looked at from outside, while others fetch, delete and get mail. `--messages N`, `--rounds N`; fails beyond the limits.
 */
export async function run(options: PartOptions): Promise<Figures> {
  const messages = Number(options["messages"] ?? 1_000_000);
  const rounds = Number(options["rounds"] ?? 3);
  await using stack = new AsyncDisposableStack();
  const large = Array.from({ length: rounds }, (_, index) => `large${index + 1}`);
  const seeds = { kept: large, erased: large.map((user) => `${user}-off`) };
  tell(`making ${2 * rounds} maildrops of ${messages} messages`);
  const installation = await install(stack, { users: [...SMALL, ...seeds.kept, ...seeds.erased], config: CONFIG });
  const seeded = new Map(
    [...seeds.kept, ...seeds.erased].map((user, index) => {
      // Every other one lacks half of its uids, as where many were removed before.
      const seed = { messages, uidStep: 1 + (index % 2), seed: index + 1 };
      return [user, seedMaildrop(installation.data, addressOf(user), seed)];
    }),
  );
  const through = async (users: readonly string[], server: Server): Promise<{ quiet: Waits; rounds: Round[] }> => {
    await using others = new Others(watched(server));
    await others.during(() => pause(QUIET_MS / 2));
    const { waits: quiet } = await others.during(() => pause(QUIET_MS));
    const list: Round[] = [];
    for (const user of users) {
      tell(`${user}: open, LIST, UIDL, DELE of all, QUIT`);
      const given = seeded.get(user);
      if (given === undefined) throw new Error("every maildrop was seeded");
      list.push(await round(server, others, user, given));
    }
    return { quiet, rounds: list };
  };
  const kept = await withServer(installation, async (server) => {
    const measured = await through(seeds.kept, server);
    const restored: Restored[] = [];
    for (const user of seeds.kept) {
      tell(`${user}: undelete of all`);
      restored.push(await restoreAll(server, watched(server), user, messages));
    }
    return { ...measured, restored };
  });
  installation.configure({ ...CONFIG, retention: { undelete_days: 0 } });
  const erased = await withServer(installation, (server) => through(seeds.erased, server));
  tell("looking whether the store is whole");
  assertConsistent(installation.data);
  tell("delivery to one maildrop and to many");
  const delivery = await measureDelivery(path.join(scratch(stack), "rig"), options);
  const measured: Measured = { messages, kept, erased, delivery };
  const figures = {
    name: "size",
    command: `npm run measure -- size --messages ${messages} --rounds ${rounds}`,
    rows: rowsOf(measured),
  };
  assertWithin(measured, figures);
  return figures;
}

function watched(server: Server) {
  const users = SMALL.map((user) => ({ address: addressOf(user), password: passwordOf(user) }));
  return { pop3: server.ports.pop3, lmtp: server.ports.lmtp, users };
}

async function withServer<T>(installation: Installation, work: (server: Server) => Promise<T>): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const server = await serve(stack, installation);
  const result = await work(server);
  await server.stop();
  return result;
}

function tell(what: string): void {
  process.stderr.write(`size: ${what}\n`);
}
