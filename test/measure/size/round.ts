import assert from "node:assert/strict";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { addressOf, passwordOf } from "../../e2e/harness/installation.ts";
import { MemoryPeak, residentMib } from "../../e2e/harness/memory.ts";
import type { Server } from "../../e2e/harness/server.ts";
import { until } from "../../e2e/harness/wait.ts";
import { cpuSeconds } from "./cpu.ts";
import type { Listed } from "./large-session.ts";
import { deleCommands, LargeSession } from "./large-session.ts";
import type { Others, Waits } from "./others.ts";
import type { Seeded } from "./seed.ts";

/** What the others are watched through. */
export const PHASES = ["open", "LIST", "UIDL", "slow UIDL", "DELE", "QUIT", "removal"] as const;
export type Phase = (typeof PHASES)[number];

/** What one large maildrop showed, from its open to the end of its removal. */
export type Round = {
  readonly openMs: number;
  readonly statMs: number;
  readonly list: Listed;
  readonly uidl: Listed;
  readonly quitMs: number;
  readonly removalMs: number;
  /** Resident memory above what it was before the session: its listing read, all marked, with a client that does not read. */
  readonly listedMib: number;
  readonly markedMib: number;
  readonly stalledMib: number;
  readonly mostMib: number;
  readonly cpuSeconds: Readonly<Record<Phase, number>>;
  readonly waits: Readonly<Record<Phase, Waits>>;
};

const STALL_MS = 2000;

/** Goes once through a large maildrop: each phase while others are served, each answer checked. */
export async function round(server: Server, others: Others, user: string, seeded: Seeded): Promise<Round> {
  const look = new Look(server, others);
  const login = () => LargeSession.login(server.ports.pop3, addressOf(user), passwordOf(user));
  // Warm is the second time: by then the password is known and the rows are in memory.
  const cold = await login();
  await cold.session.quit();
  using memory = new MemoryPeak(server.pid);
  const { before } = memory;
  const { session, openMs } = await look.phase("open", login);
  using _ = session;
  const begin = performance.now();
  const stat = await session.status("STAT");
  const statMs = performance.now() - begin;
  assert.equal(stat, `+OK ${seeded.messages} ${seeded.octets}`);
  const list = await look.phase("LIST", () => session.listing("LIST"));
  assert.equal(list.digest, seeded.listDigest, "LIST is what was stored");
  const uidl = await look.phase("UIDL", () => session.listing("UIDL"));
  assert.equal(uidl.digest, seeded.uidlDigest, "P3: UIDL is what was stored");
  const listedMib = residentMib(server.pid) - before;
  let stalledMib = 0;
  const slow = await look.phase("slow UIDL", () =>
    session.listing("UIDL", async () => {
      await pause(STALL_MS);
      stalledMib = residentMib(server.pid) - before;
    }),
  );
  assert.equal(slow.digest, seeded.uidlDigest, "a client that reads slowly gets the same");
  const commands = deleCommands(seeded.messages);
  await look.phase("DELE", () => session.markAll(commands, seeded.messages));
  const markedMib = residentMib(server.pid) - before;
  const quitMs = await look.phase("QUIT", () => session.quit());
  const mostMib = memory.raise;
  await sawNothing(login);
  const removal = performance.now();
  await look.phase("removal", () => carriedOut(server));
  const removalMs = performance.now() - removal;
  await sawNothing(login);
  const times = { openMs, statMs, list, uidl, quitMs, removalMs };
  return { ...times, listedMib, markedMib, stalledMib, mostMib, cpuSeconds: look.cpuSeconds, waits: look.waits };
}

async function sawNothing(login: () => ReturnType<typeof LargeSession.login>): Promise<void> {
  const { session } = await login();
  assert.equal(await session.status("STAT"), "+OK 0 0", "what QUIT removed is gone at once");
  await session.quit();
}

/** Waits until no removal waits any more. */
export async function carriedOut(server: Server): Promise<void> {
  using sql = new DatabaseSync(path.join(server.installation.data, "mailkeep.db"), { readOnly: true });
  const waiting = sql.prepare("select count(*) as removals from removal");
  await until("the removals to be carried out", 600, () => waiting.get()?.["removals"] === 0);
}

class Look {
  readonly #server: Server;
  readonly #others: Others;
  readonly cpuSeconds: Record<Phase, number>;
  readonly waits: Record<Phase, Waits>;

  constructor(server: Server, others: Others) {
    this.#server = server;
    this.#others = others;
    const of = <T>(): Record<Phase, T> => Object.fromEntries(PHASES.map((phase) => [phase, undefined])) as never;
    this.cpuSeconds = of();
    this.waits = of();
  }

  async phase<T>(name: Phase, work: () => Promise<T>): Promise<T> {
    const [before, begin] = [cpuSeconds(this.#server.pid), performance.now()];
    const { result, waits } = await this.#others.during(async () => {
      const done = await work();
      this.cpuSeconds[name] = cpuSeconds(this.#server.pid) - before;
      return done;
    });
    this.waits[name] = waits;
    const { what, ms } = waits.worst;
    const took = `${Math.round(performance.now() - begin)} ms`;
    process.stderr.write(
      `size:   ${name} ${took}, CPU ${this.cpuSeconds[name].toFixed(2)} s, others ${ms.toFixed(1)} ms (${what})\n`,
    );
    return result;
  }
}
