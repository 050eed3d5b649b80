import { findServer } from "../../src/admin/control-client.ts";
import type { ScrubReport } from "../../src/admin/scrub.ts";
import { Random } from "../e2e/harness/random.ts";
import { launch, serve, type Server } from "../e2e/harness/server.ts";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { drawFlip, flip, type Flip } from "./rot/flips.ts";
import { furnish, layOut, type House } from "./rot/house.ts";
import { fetchAll, look, type Seen } from "./rot/look.ts";
import { measurePace, type PaceFigures } from "./rot/pace.ts";

// The database holds what little decides over all else, so most flips go there.
const PLACES = ["database", "database", "database", "segment", "own file"] as const;
// So many flips of bodies are looked at under one running server.
const LIVE_AT_ONCE = 4;
// After so many others.
const LIVE_EVERY = 12;

type Outcome = {
  readonly flip: Flip;
  readonly how: "stopped" | "killed" | "live";
  /** Where it was noticed; "harmless": all was served as it was. */
  readonly noticed: "start" | "open" | "retr" | "harmless";
  readonly found: boolean;
  readonly mended: boolean;
};

/**
 * "Rot" of issue 5: bits are flipped in copies of a store, each is served by the real server, and all mail is fetched and some
 * deleted. `--flips N`, `--seed N`. Fails when a flip was delivered as good mail, made a message disappear, or was answered as
 * anything but damage.
 */
export async function run(options: PartOptions): Promise<Figures> {
  const flips = Number(options["flips"] ?? 40);
  const seed = Number(options["seed"] ?? 1);
  await using stack = new AsyncDisposableStack();
  const random = new Random(seed);
  const house = await furnish(stack);
  const outcomes: Outcome[] = [];
  let started = 0;
  while (outcomes.length < flips) {
    outcomes.push(await oneFlip(house, random, started));
    started += 1;
    if (started % LIVE_EVERY === 0 && outcomes.length < flips)
      outcomes.push(...(await liveFlips(house, random, Math.min(LIVE_AT_ONCE, flips - outcomes.length))));
  }
  const pace = await measurePace(stack);
  return {
    name: "rot",
    command: `npm run measure -- rot --flips ${flips} --seed ${seed}`,
    rows: rowsOf(outcomes, pace),
  };
}

/** A flip in the store of a server that is not running, met at its start or behind it. */
async function oneFlip(house: House, random: Random, index: number): Promise<Outcome> {
  const how = index % 3 === 2 ? "killed" : "stopped";
  const data = layOut(house, how);
  const drawn = drawFlip(random, data, random.pick(PLACES));
  flip(data, drawn);
  await using stack = new AsyncDisposableStack();
  const server = launch(stack, house.installation);
  try {
    const ready = await isReady(server);
    if (!ready) return { flip: drawn, how, noticed: "start", found: true, mended: false };
    const seen = await lookAtAll(house, server);
    const found = await scrub(house, false);
    const mended = found.found > 0 ? await scrub(house, true) : found;
    const whole = mended.found > 0 && mended.found === mended.mended;
    if (whole) await mustBeWhole(house, server, seen);
    return { flip: drawn, how, noticed: noticedIn(seen), found: found.found > 0, mended: whole };
  } catch (cause) {
    throw new Error(`bit ${drawn.bit} of octet ${drawn.at} in ${drawn.file} (${how}): ${wordsOf(cause)}`, { cause });
  }
}

/** Flips in bodies under a running server, which has some of them open; one after the other, each turned back. */
async function liveFlips(house: House, random: Random, count: number): Promise<Outcome[]> {
  const data = layOut(house, "stopped");
  await using stack = new AsyncDisposableStack();
  const server = await serve(stack, house.installation);
  const outcomes: Outcome[] = [];
  for (let index = 0; index < count; index += 1) {
    const drawn = drawFlip(random, data, index % 2 === 0 ? "segment" : "own file");
    flip(data, drawn);
    const seen = new Map<string, Seen>();
    for (const [user, kept] of house.truth) seen.set(user, await fetchAll(server, user, kept));
    const bad = [...seen.values()].flatMap((each) => (each.refused === undefined ? each.messages : []));
    const { found } = await scrub(house, false);
    const refused = bad.filter((each) => each !== "good").length;
    if (found !== refused) throw new Error(`${refused} messages could not be fetched, and a scrub names ${found}`);
    flip(data, drawn);
    outcomes.push({ flip: drawn, how: "live", noticed: noticedIn(seen), found: found > 0, mended: false });
  }
  await lookAtAll(house, server);
  return outcomes;
}

async function isReady(server: Server): Promise<boolean> {
  const ended = server.ended.then(() => false);
  const ready = server.event("server.ready", 60).then(
    () => true,
    () => false,
  );
  if (await Promise.race([ready, ended])) return true;
  const { code } = await server.ended;
  if (code !== 1 || !/damaged|database disk image is malformed/.test(server.output))
    throw new Error(`a start that says nothing of damage (${code}): ${server.output}`);
  return false;
}

async function lookAtAll({ truth }: House, server: Server): Promise<ReadonlyMap<string, Seen>> {
  const seen = new Map<string, Seen>();
  for (const [user, kept] of truth) seen.set(user, await look(server, user, kept));
  return seen;
}

/** What a repair says it has mended is as it was. */
async function mustBeWhole({ truth }: House, server: Server, before: ReadonlyMap<string, Seen>): Promise<void> {
  for (const [user, kept] of truth) {
    const seen = before.get(user);
    if (seen === undefined || seen.refused === "credentials") continue;
    const good = seen.refused === undefined ? seen.messages.indexOf("good") : -1;
    const now = await look(
      server,
      user,
      kept.filter((_, index) => index !== good),
    );
    if (now.refused !== undefined || now.messages.some((each) => each !== "good"))
      throw new Error(`${user}: not whole after a repair that says so`);
  }
}

async function scrub({ installation }: House, repair: boolean): Promise<ScrubReport> {
  const server = await findServer(installation.data);
  if (!server.ok) throw new Error(`no server: ${server.error}`);
  const done = await server.value.call("store.scrub", { repair, restart: true, rate: 10_000 });
  if (!done.ok) throw new Error(`a scrub could not be run: ${done.error.code} ${done.error.detail ?? ""}`);
  return done.value;
}

function noticedIn(seen: ReadonlyMap<string, Seen>): Outcome["noticed"] {
  const all = [...seen.values()];
  if (all.some(({ refused }) => refused !== undefined)) return "open";
  return all.some((each) => each.refused === undefined && each.messages.some((one) => one !== "good"))
    ? "retr"
    : "harmless";
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function rowsOf(outcomes: readonly Outcome[], pace: PaceFigures): Figures["rows"] {
  const count = (wanted: (outcome: Outcome) => boolean): string => String(outcomes.filter(wanted).length);
  const harmful = outcomes.filter(({ noticed }) => noticed !== "harmless");
  return [
    ["bits flipped", String(outcomes.length)],
    ["… in segments", count(({ flip: { place } }) => place === "segment")],
    ["… in files of their own", count(({ flip: { place } }) => place === "own file")],
    ["… in the database", count(({ flip: { place } }) => place === "database")],
    ["… under a running server", count(({ how }) => how === "live")],
    ["… in what a kill had left", count(({ how }) => how === "killed")],
    ["noticed at the start, which was refused", count(({ noticed }) => noticed === "start")],
    ["noticed when a maildrop was opened or listed", count(({ noticed }) => noticed === "open")],
    ["noticed by RETR", count(({ noticed }) => noticed === "retr")],
    ["harmless: dead octets, free pages, unused room", count(({ noticed }) => noticed === "harmless")],
    ["delivered as good mail", "0"],
    ["messages that disappeared or were removed unasked", "0"],
    ["found by scrub, of those that did harm", `${harmful.filter(({ found }) => found).length} of ${harmful.length}`],
    ["mended by scrub --repair, octet for octet", count(({ mended }) => mended)],
    ["scrub, unbounded", `${pace.megabytesPerSecond} MB/s`],
    ["RETR at rest, median / slowest of 100", pace.quiet],
    ["RETR beside a scrub at 20 MB/s", pace.beside],
  ];
}
