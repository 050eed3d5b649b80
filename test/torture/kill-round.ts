import assert from "node:assert/strict";
import { assertConsistent } from "../contracts/store-consistency.ts";
import type { Installation } from "../e2e/harness/installation.ts";
import type { Random } from "../e2e/harness/random.ts";
import { launch, serve, type Server } from "../e2e/harness/server.ts";
import { within } from "../e2e/harness/wait.ts";
import type { Killer, When } from "./killer.ts";
import type { Ledger } from "./ledger.ts";
import { deliver, remove, survey } from "./load.ts";
import type { Moment, Point } from "./moments.ts";

/** What one kill after another is done to, and what is known of it outside. */
export type World = {
  readonly installation: Installation;
  readonly boxes: readonly string[];
  readonly killer: Killer;
  readonly ledger: Ledger;
  readonly random: Random;
};

const START_SECONDS = 30;
// Long enough for the log to be written to the database a few times; who was not killed by then is killed anyway.
const LOAD_SECONDS = 15;

/** "hit": the server died at that moment. "missed": it did not come to it, and was killed at some other. */
export type Outcome = "hit" | "missed" | "stopped";

/** Starts the server, looks at every maildrop, and kills it at such a moment. */
export async function killOnce(world: World, moment: Moment): Promise<Outcome> {
  const { killer, installation, random } = world;
  // Removed is gone at once in some rounds, kept for undelete in others: other rows, and files that are unlinked.
  installation.configure({ retention: { undelete_days: random.pick([0, 14]) } });
  if (moment.during === "start" && (await killAtStart(world, moment))) return "hit";
  killer.disarm();
  await using running = new AsyncDisposableStack();
  const server = await serve(running, installation, { env: killer.environment(installation.data) });
  await surveyAll(world, server);
  if (moment.during !== "stop") return await killUnderLoad(world, server, moment);
  arm(world, moment);
  server.signal("SIGTERM");
  const end = await within("the server's end", START_SECONDS, server.ended);
  if (killer.struck) return "hit";
  assert.deepEqual(end, { code: 0, signal: null }, `it stops in good order\n${server.output.slice(-3000)}`);
  return "stopped";
}

/** Holds all maildrops, and the rows behind them, against what is known. */
export async function surveyAll({ installation, boxes, ledger }: World, server: Server): Promise<void> {
  assertConsistent(installation.data);
  const found = await Promise.all(boxes.map((box) => survey(server, box)));
  for (const [index, box] of boxes.entries()) ledger.check(box, found[index] ?? []);
  ledger.settleDeliveries();
}

function arm({ killer, random }: World, { aim, skip }: Moment): void {
  if (aim === undefined) return;
  const when: readonly When[] = aim.kinds.includes("write") ? ["before", "half", "after"] : ["before", "after"];
  killer.arm(aim, random.between(0, skip), random.pick(when));
}

/** Whether the server died before it was ready. */
async function killAtStart(world: World, moment: Moment): Promise<boolean> {
  const { installation, killer } = world;
  arm(world, moment);
  await using running = new AsyncDisposableStack();
  const server = launch(running, installation, { env: killer.environment(installation.data) });
  const ready = server.event("server.ready", START_SECONDS).catch((cause: unknown) => {
    // The ports may have been taken meanwhile; then it is no kill, and the next start takes others.
    if (!killer.struck && !/in use|EADDRINUSE/i.test(server.output)) throw cause;
  });
  await ready;
  if (!killer.struck) await server.kill();
  return killer.struck;
}

async function killUnderLoad(world: World, server: Server, moment: Moment): Promise<Outcome> {
  const { killer, ledger, random, boxes } = world;
  let countdown = random.between(0, moment.skip);
  let ending: "hit" | "missed" | undefined;
  const kill = (how: "hit" | "missed") => {
    ending ??= how;
    server.signal("SIGKILL");
  };
  const at = async (point: Point) => {
    if (point !== moment.point || ending !== undefined || countdown-- > 0) return;
    if (moment.aim !== undefined) return arm(world, moment);
    // Also a little later, when the server is at work with what it got.
    if (random.fraction() < 0.5) kill("hit");
    else setTimeout(kill, random.between(0, 3), "hit");
    // What the dialogue would do next does not happen before.
    if (random.fraction() < 0.5) await server.ended;
  };
  if (moment.point === undefined) arm(world, moment);
  const late = setTimeout(kill, LOAD_SECONDS * 1000, "missed");
  const over = () => ending !== undefined || killer.struck;
  const round = { server, ledger, random, boxes, at, over };
  try {
    await Promise.all([
      deliver(round, "lmtp"),
      deliver(round, "smtp"),
      deliver(round, "lmtp"),
      deliver(round, "smtp"),
      remove(
        round,
        boxes.filter((_, index) => index % 2 === 0),
      ),
      remove(
        round,
        boxes.filter((_, index) => index % 2 === 1),
      ),
    ]);
  } catch (cause) {
    const { code, signal } = await within("the server's end", START_SECONDS, server.ended);
    const words = `under load, to be killed at ${moment.step}, ${moment.name}: ${code ?? signal}`;
    throw new Error(`${words}\n${server.output.slice(-3000)}`, { cause });
  } finally {
    clearTimeout(late);
  }
  await within("the server's end", START_SECONDS, server.ended);
  return killer.struck ? "hit" : (ending ?? "missed");
}
