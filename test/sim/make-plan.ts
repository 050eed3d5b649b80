import { unreachable } from "../../src/lib/assert.ts";
import { Random } from "../e2e/harness/random.ts";
import type { Fault, Verb } from "./process.ts";
import type {
  Act,
  ActorPlan,
  AdminPlan,
  FaultPlan,
  MailPlan,
  Plan,
  ReaderPlan,
  SenderPlan,
  Vanish,
  VisitPlan,
} from "./plan.ts";
import { seedOf } from "./runtime.ts";

const DAY_MS = 86_400_000;
/** When the first actor comes. */
const BEGIN_MS = 2000;

/** Draws what happens from a seed: some seeds are calm, most have a few kinds of faults switched on. */
export function makePlan(seed: number): Plan {
  const random = new Random(seedOf(seed, "plan"));
  const accounts = random.between(1, 3);
  const rivals = random.fraction() < 0.25;
  const takeoverSeconds = rivals ? 5 : random.pick([5, 20, 60]);
  const actors = drawActors(random, accounts, rivals ? takeoverSeconds * 1000 : 0);
  const last = Math.max(...actors.map(({ at }) => at)) + 5000;
  return {
    seed,
    line: {
      latencyMs: random.pick([0.5, 5, 60]),
      window: random.pick([512, 4096, 65_536]),
      packet: random.pick([7, 200, 1460, 65_536]),
    },
    hopMs: random.pick([0.2, 0.2, 5, 300]),
    syncMs: random.pick([0, 0, 3, 25]),
    settings: {
      takeoverSeconds,
      undeleteDays: random.pick([0, 0, 1, 14]),
      expireDays: random.pick([0, 1, 30]),
      eraseDays: random.pick([0, 14]),
      bodyMemoryOctets: random.pick([24 * 1024, 256 * 1024]),
      idleSeconds: random.pick([20, 60]),
      stallSeconds: 15,
    },
    accounts,
    actors,
    faults: drawFaults(random, last),
    lastEnd: random.pick(["kill", "power"]),
  };
}

function drawActors(random: Random, accounts: number, takeoverMs: number): readonly ActorPlan[] {
  const actors: ActorPlan[] = [];
  const rounds = random.between(1, 3);
  let at = BEGIN_MS;
  for (let round = 0; round < rounds; round += 1) {
    const count = random.between(2, 6);
    for (let index = 0; index < count; index += 1) {
      const kind = random.fraction();
      const name = `${round}${String.fromCharCode(97 + index)}`;
      const from = at + random.between(0, 1500);
      if (kind < 0.5) actors.push(drawSender(random, `sender ${name}`, from, accounts));
      else if (kind < 0.88) actors.push(drawReader(random, `reader ${name}`, from, accounts));
      else actors.push(drawAdmin(random, `admin ${name}`, from, accounts));
    }
    if (random.fraction() < 0.5) actors.push(drawJobs(random, `jobs ${round}`, at));
    if (takeoverMs > 0) actors.push(...drawRivals(random, `${round}`, at + 1500, takeoverMs));
    at += random.pick([500, 3000, 30_000, 2 * DAY_MS]);
    if (round > 0 && random.fraction() < 0.2) actors.push(...drawExpiry(random, `${round}`, at));
  }
  return actors;
}

/** One session that says nothing until another one of its device comes, and goes on then. */
function drawRivals(random: Random, name: string, at: number, takeoverMs: number): readonly ReaderPlan[] {
  const calm = { pauseMs: 0, resets: false, stallMs: 0, idleMs: 0, ends: "quit", vanish: undefined } as const;
  const idle = { ...calm, fetches: 0, removes: 1, idleMs: takeoverMs + random.between(-300, 2500), pipelined: true };
  const second = {
    ...calm,
    fetches: random.pick([0, 1]),
    removes: random.pick([0, 1]),
    pipelined: random.fraction() < 0.5,
  };
  const who = { kind: "reader", account: 0, device: "phone" } as const;
  return [
    { ...who, name: `reader ${name}x`, at, visits: [idle] },
    { ...who, name: `reader ${name}y`, at: at + takeoverMs - random.between(-200, 2000), visits: [second] },
  ];
}

/** A session that is slow to read while retention has its turns. */
function drawExpiry(random: Random, name: string, at: number): readonly ActorPlan[] {
  const visit = { ...drawVisit(random), pauseMs: 0, fetches: 1, stallMs: 3000, idleMs: 0, vanish: undefined };
  const turns = Array.from({ length: 4 }, () => ({ act: "expire", account: 0, pauseMs: 800 }) as const);
  return [
    { kind: "reader", name: `reader ${name}e`, at, account: 0, device: "desk", visits: [visit] },
    { kind: "admin", name: `retention ${name}`, at: at + random.between(0, 1500), acts: turns },
  ];
}

/** The jobs of the house, more often than they come by themselves. */
function drawJobs(random: Random, name: string, at: number): AdminPlan {
  const acts = Array.from({ length: random.between(2, 8) }, () => ({
    act: random.pick<Act>(["reclaim", "reclaim", "reclaim", "erase", "expire", "forget"]),
    account: 0,
    pauseMs: random.pick([10, 300, 1500]),
  }));
  return { kind: "admin", name, at: at + random.between(0, 2000), acts };
}

function drawSender(random: Random, name: string, at: number, accounts: number): SenderPlan {
  const mails = Array.from({ length: random.pick([1, 2, 3, 5, 9]) }, (_, index) =>
    drawMail(random, `${name}.${index + 1}`, accounts),
  );
  const octets = mails.reduce((sum, mail) => sum + mail.octets + 300, 0);
  return {
    kind: "sender",
    name,
    at,
    protocol: random.pick(["smtp", "lmtp"]),
    mails,
    vanish: drawVanish(random, 0.25, octets),
  };
}

function drawMail(random: Random, name: string, accounts: number): MailPlan {
  const to = Array.from({ length: accounts }, (_, index) => index).filter(() => random.fraction() < 0.5);
  return {
    name: name.replace("sender ", "m"),
    to: to.length === 0 ? [random.between(0, accounts - 1)] : to,
    octets: random.fraction() < 0.12 ? random.between(9000, 26_000) : random.between(120, 1800),
    pipelined: random.fraction() < 0.5,
    resets: random.fraction() < 0.08,
    pauseMs: random.pick([0, 0, 20, 700]),
  };
}

function drawVanish(random: Random, share: number, octets: number): Vanish | undefined {
  if (random.fraction() >= share) return undefined;
  return { after: random.between(1, octets), how: random.pick(["reset", "end", "silence"]) };
}

function drawReader(random: Random, name: string, at: number, accounts: number): ReaderPlan {
  return {
    kind: "reader",
    name,
    at,
    account: random.between(0, accounts - 1),
    device: random.pick(["phone", "desk"]),
    visits: Array.from({ length: random.between(1, 3) }, () => drawVisit(random)),
  };
}

function drawVisit(random: Random): VisitPlan {
  return {
    pauseMs: random.pick([0, 100, 2000, 8000]),
    fetches: random.pick([0, 0.5, 1]),
    removes: random.pick([0, 0.3, 1, 1]),
    resets: random.fraction() < 0.15,
    stallMs: random.fraction() < 0.1 ? random.pick([1000, 40_000]) : 0,
    idleMs: random.fraction() < 0.15 ? random.pick([7000, 70_000]) : 0,
    pipelined: random.fraction() < 0.3,
    ends: random.fraction() < 0.75 ? "quit" : random.pick(["reset", "end", "silence"]),
    vanish: drawVanish(random, 0.2, 600),
  };
}

const ACTS: readonly Act[] = ["expire", "erase", "reclaim", "reclaim", "forget", "restore", "restore", "release"];

function drawAdmin(random: Random, name: string, at: number, accounts: number): AdminPlan {
  const account = random.between(0, accounts - 1);
  const act = (what: Act): AdminPlan["acts"][number] => ({
    act: what,
    account: random.between(0, accounts - 1),
    pauseMs: random.pick([0, 50, 1000]),
  });
  const acts = Array.from({ length: random.between(1, 4) }, () => act(random.pick(ACTS)));
  const special = random.fraction();
  if (special < 0.15) acts.push({ ...act("remove"), account }, { ...act("make"), account });
  else if (special < 0.3) acts.push({ ...act("disable"), account }, { ...act("enable"), account });
  return { kind: "admin", name, at, acts };
}

// ── Faults ──

const KINDS = ["crash", "stop", "thread", "disk", "full", "slow", "clock"] as const;

function drawFaults(random: Random, last: number): readonly FaultPlan[] {
  if (random.fraction() < 0.1) return [];
  const kinds = KINDS.filter(() => random.fraction() < 0.4);
  const most = random.pick([1, 2, 4]);
  return kinds.flatMap((kind) =>
    Array.from({ length: random.between(1, kind === "crash" ? most : 2) }, () =>
      drawFault(random, kind, drawTime(random, last)),
    ).flat(),
  );
}

// Most actors have done most of their work within two seconds.
function drawTime(random: Random, last: number): number {
  return random.fraction() < 0.7 ? BEGIN_MS + random.between(0, 4000) : random.between(BEGIN_MS, last);
}

function drawFault(random: Random, kind: (typeof KINDS)[number], at: number): readonly FaultPlan[] {
  switch (kind) {
    case "crash":
      return drawCrash(random, at);
    case "stop":
      return [{ kind: "stop", at, seconds: random.pick([0, 1, 10]), restartMs: random.pick([20, 1500]) }];
    case "thread":
      return [{ kind: "thread", at, steps: random.between(0, 60), thread: random.between(0, 1) }];
    case "disk":
      return [drawDiskFault(random, at)];
    case "full":
      return [{ kind: "full", at, forMs: random.pick([500, 20_000]), freeOctets: random.pick([0, 2000, 20_000]) }];
    case "slow":
      return [{ kind: "slow", at, forMs: random.pick([500, 20_000]), ms: random.pick([8, 300, 9000]) }];
    case "clock":
      return [{ kind: "clock", at, byMs: random.pick([-400, -2, 2, 400]) * random.pick([3_600_000, DAY_MS]) }];
    default:
      return unreachable(kind);
  }
}

/** One, and sometimes others while it starts again. */
function drawCrash(random: Random, at: number): readonly FaultPlan[] {
  const one = (from: number, steps: number): FaultPlan => ({
    kind: random.pick(["kill", "power"]),
    at: from,
    steps,
    restartMs: random.pick([20, 1500]),
  });
  const steps = random.pick([random.between(0, 20), random.between(0, 300)]);
  if (random.fraction() < 0.7) return [one(at, steps)];
  // These wait while the first one comes, and so are met by the steps behind it.
  return [one(at, steps), one(at, steps + random.between(1, 40)), one(at, steps + random.between(1, 80))];
}

const VERBS: readonly (readonly Verb[])[] = [
  ["fdatasyncSync"],
  ["fdatasync"],
  ["fsyncFolderSync"],
  ["fdatasyncSync", "fdatasync", "fsyncFolderSync"],
  ["writevSync"],
  ["write"],
  ["writevSync", "write"],
  ["rows.commit"],
  ["rows.commit"],
  ["rows.commit", "fdatasyncSync"],
  ["rows.run"],
  ["rows.begin", "rows.run"],
  ["rows.read"],
  ["rows.settle"],
  ["openSync", "renameSync", "mkdirSync"],
  ["unlinkSync", "unlink", "ftruncateSync", "closeSync"],
  ["readSync", "read"],
];

function drawDiskFault(random: Random, at: number): FaultPlan {
  const verbs = random.pick(VERBS);
  return {
    kind: "disk",
    at,
    forMs: random.pick([200, 5000, 30_000]),
    verbs,
    skip: random.pick([0, 0, 1, 5]),
    count: random.pick([1, 1, 3, 1000]),
    fault: drawHow(random, verbs[0]),
  };
}

function drawHow(random: Random, verb: Verb | undefined): Fault {
  const error = random.pick(["io", "full"] as const);
  if (verb === "readSync") return random.fraction() < 0.5 ? { short: random.fraction() } : "io";
  if (verb === "rows.commit") return random.pick<Fault>(["sync", "sync", "io", "full"]);
  if (verb === "rows.settle") return random.pick<Fault>(["sync", "io", "full"]);
  if (random.fraction() < 0.5) return error;
  return { error, after: random.pick([0, random.fraction(), 1]) };
}
