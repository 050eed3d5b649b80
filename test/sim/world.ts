import { Random } from "../e2e/harness/random.ts";
import { type Stage, addressOf } from "./actor.ts";
import { Administrator } from "./administrator.ts";
import { DiskFaults } from "./faults.ts";
import { inspectRows } from "./inspect.ts";
import { Life } from "./life.ts";
import { createMachine, type Machine } from "./machine.ts";
import { ClientEnd } from "./network.ts";
import { BrokenPromise } from "./broken-promise.ts";
import { Oracle } from "./oracle.ts";
import type { ActorPlan, FaultPlan, Plan } from "./plan.ts";
import { Reader } from "./reader.ts";
import { Owner, Runtime, seedOf, START_MS } from "./runtime.ts";
import { Sender } from "./sender.ts";
import { Story } from "./story.ts";
import { NoAnswer, Talk } from "./talk.ts";

/** What was counted. */
export type Counts = {
  steps: number;
  lives: number;
  kills: number;
  powerCuts: number;
  stops: number;
  threadDeaths: number;
  clockJumps: number;
  restartsAfterStop: number;
};

const COUNTED = { kill: "kills", power: "powerCuts", stop: "stops" } as const;

/** A fault that comes at a step. */
type Armed = { readonly plan: Extract<FaultPlan, { kind: "kill" | "power" | "thread" }>; left: number; done: boolean };

const ROOM_OCTETS = 2 ** 40;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
// A crash for which no step comes happens anyhow.
const CRASH_MS = 3000;
const PROBE_MS = 5000;
const BOOT_AGAIN_MS = 700;
const MOST_SILENCE_MS = 20_000;

/** One machine with its clients, its faults, and an oracle that hears what the clients hear. */
export class World implements Stage {
  readonly plan: Plan;
  readonly runtime: Runtime;
  readonly machine: Machine;
  readonly oracle: Oracle;
  readonly story: Story;
  readonly faults: DiskFaults;
  readonly counts: Counts = {
    steps: 0,
    lives: 0,
    kills: 0,
    powerCuts: 0,
    stops: 0,
    threadDeaths: 0,
    clockJumps: 0,
    restartsAfterStop: 0,
  };
  /** The first promise that was broken. */
  broken: string | undefined;
  /** Nothing fails any more: every start succeeds, everything is answered. */
  calm = false;
  #life: Life | undefined;
  readonly #armed: Armed[] = [];
  #connections = 0;
  #probing = false;
  #lastConnect = 0;
  #acceptedError = 0;
  #jumpedAt = 0;
  readonly #random: Random;
  readonly #operator: Owner;

  constructor(plan: Plan, told: boolean) {
    this.plan = plan;
    this.runtime = new Runtime(plan.seed, (owner, cause) => this.#failed(owner, cause));
    this.runtime.hopMs = plan.hopMs;
    this.machine = createMachine({ seed: plan.seed });
    this.story = new Story(() => this.runtime.monotonic(), told);
    this.#random = new Random(seedOf(plan.seed, "world"));
    this.#operator = new Owner("operator", plan.seed);
    this.faults = new DiskFaults(this.runtime, this.machine, plan.syncMs, (what) => this.tell("disk", what));
    const disksFail = plan.faults.some(({ kind }) => kind === "disk");
    this.oracle = new Oracle({
      now: () => this.runtime.monotonic(),
      wall: () => this.runtime.wall(),
      life: () => this.counts.lives,
      disksFail,
      readsFail: () => disksFail && !this.calm,
      stoppedAt: () => this.faults.stoppedAt,
      takeoverSeconds: plan.settings.takeoverSeconds,
      keeps: plan.settings.undeleteDays > 0,
    });
  }

  // ── For actors ──

  life(): Life | undefined {
    return this.#life?.serving === true ? this.#life : undefined;
  }

  tell(who: string, what: string): void {
    this.story.tell(who, what);
  }

  connect(owner: Owner, name: string, protocol: "pop3" | "smtp" | "lmtp"): Talk | undefined {
    const door = this.life()?.listener(owner.random.fraction());
    if (door === undefined) return undefined;
    this.#connections += 1;
    this.#lastConnect = this.runtime.monotonic();
    this.#probeSoon();
    const { runtime, plan } = this;
    const peer = { address: "192.0.2.1", port: this.#connections };
    const end = new ClientEnd({ runtime, client: owner, server: door.owner, peer, line: plan.line, name });
    door.accept(end, protocol);
    return new Talk(runtime, owner, end);
  }

  order<T>(owner: Owner, work: (life: Life) => Promise<T>): Promise<{ readonly done: T } | "lost" | "down"> {
    const { runtime } = this;
    const life = this.life();
    if (life === undefined) return Promise.resolve("down");
    return new Promise((resolve) => {
      const lost = (): void => {
        runtime.after(owner, 1, () => resolve("lost"));
      };
      const carryOut = async (): Promise<void> => {
        const done = await work(life);
        life.mourners.delete(lost);
        runtime.after(owner, 0.1, () => resolve({ done }));
      };
      life.mourners.add(lost);
      runtime.soon(life.main, () => void carryOut());
    });
  }

  agingWall(): number {
    const { clockError } = this.runtime;
    if (this.runtime.monotonic() - this.#jumpedAt >= DAY_MS) this.#accept(clockError);
    return START_MS + this.runtime.monotonic() + this.#acceptedError;
  }

  // ── The course of things ──

  /** Plays a part by its own owner; what it throws is a broken promise. */
  play(name: string, work: (owner: Owner) => Promise<void>, atMs = 0): Promise<void> {
    const owner = new Owner(name, this.plan.seed);
    return new Promise((resolve) => {
      this.runtime.after(owner, Math.max(0, atMs - this.runtime.monotonic()), () => {
        work(owner).then(resolve, (cause: unknown) => this.#failed(owner, cause));
      });
    });
  }

  act(plan: ActorPlan): Promise<void> {
    const part = async (owner: Owner): Promise<void> => {
      if (plan.kind === "sender") await new Sender(this, plan, owner).run();
      else if (plan.kind === "reader") await new Reader(this, plan, owner).run();
      else await new Administrator(this, plan.name, owner).run(plan);
    };
    return this.play(plan.name, part, plan.at);
  }

  /** Has a fault come at its time. */
  expect(fault: FaultPlan): void {
    const { runtime, faults } = this;
    runtime.after(runtime.outside, Math.max(0, fault.at - runtime.monotonic()), () => {
      if (this.calm) return;
      switch (fault.kind) {
        case "kill":
        case "power":
        case "thread":
          return this.#arm(fault);
        case "stop":
          return this.#stop(fault);
        case "disk":
          return faults.fail(fault);
        case "slow":
          this.tell("disk", `takes ${fault.ms} ms for each sync`);
          faults.slow(fault.ms);
          runtime.after(runtime.outside, fault.forMs, () => faults.slow(0));
          return;
        case "full":
          return void this.#fill(fault);
        case "clock":
          return this.#jump(fault.byMs);
      }
    });
  }

  /** Starts the server, and again until it is up. */
  boot(): void {
    if (this.#life?.alive === true) return;
    this.counts.lives += 1;
    this.faults.stoppedAt = Number.POSITIVE_INFINITY;
    const { runtime, machine, plan, counts } = this;
    if (runtime.clockError - this.#acceptedError <= 7 * DAY_MS + HOUR_MS) this.#accept(runtime.clockError);
    const life = new Life({
      runtime,
      machine,
      settings: plan.settings,
      number: counts.lives,
      step: (what) => this.#step(what),
      diskMs: () => this.faults.asyncMs,
      tell: (who, what) => this.tell(who, what),
      broken: (what) => this.#break(what),
    });
    this.#life = life;
    life.start((refusal) => {
      this.tell("server", refusal === undefined ? `life ${life.number} is up` : `does not start: ${refusal.reason}`);
      if (refusal === undefined) runtime.after(runtime.outside, 0, () => inspectRows(machine));
      else this.#refused(life, refusal);
    });
  }

  #refused(life: Life, { kind, reason }: { readonly kind: string; readonly reason: string }): void {
    if (this.calm || kind === "damaged") this.#break(`P9: the server does not start: ${reason}`);
    this.runtime.after(this.runtime.outside, 0, () => this.#end(life, "stop", BOOT_AGAIN_MS));
  }

  /** Ends what runs now, at once. */
  end(how: "kill" | "power", restartMs: number): void {
    if (this.#life !== undefined) this.#end(this.#life, how, restartMs);
  }

  #end(life: Life, how: "kill" | "power" | "stop", restartMs: number): void {
    if (!life.alive || life !== this.#life) return;
    this.counts[COUNTED[how]] += 1;
    if (how !== "power") {
      this.machine.kill();
      life.die(0);
    } else {
      this.machine.cutPower(this.#random);
      life.die(this.#random.between(0, MOST_SILENCE_MS));
    }
    this.runtime.after(this.runtime.outside, restartMs, () => this.boot());
  }

  #stop({ seconds, restartMs }: Extract<FaultPlan, { kind: "stop" }>): void {
    const life = this.life();
    if (life === undefined) return;
    this.tell("operator", `stops the server within ${seconds} s`);
    life.stop(seconds, () => {
      this.runtime.after(this.runtime.outside, 0, () => this.#end(life, "stop", restartMs));
    });
  }

  #step(what: string): void {
    this.counts.steps += 1;
    for (const armed of this.#armed) {
      if (armed.done) continue;
      if (armed.left > 0) armed.left -= 1;
      else this.#strike(armed, `before ${what}`);
    }
  }

  #arm(plan: Armed["plan"]): void {
    const armed: Armed = { plan, left: plan.steps, done: false };
    this.#armed.push(armed);
    this.runtime.after(this.runtime.outside, CRASH_MS, () => {
      if (!armed.done) this.#strike(armed, "while it rests");
    });
  }

  #strike(armed: Armed, when: string): void {
    // eslint-disable-next-line no-param-reassign -- its own note
    armed.done = true;
    const { plan } = armed;
    if (this.calm || this.#life?.alive !== true) return;
    if (plan.kind === "thread") {
      // Not in the middle of its own work: the store's goes on.
      this.counts.threadDeaths += 1;
      this.runtime.after(this.runtime.outside, 0, () => this.#life?.killThread(plan.thread));
      return;
    }
    this.tell(plan.kind === "kill" ? "KILL" : "POWER CUT", when);
    this.end(plan.kind, plan.restartMs);
  }

  async #fill({ forMs, freeOctets }: Extract<FaultPlan, { kind: "full" }>): Promise<void> {
    const { runtime, machine } = this;
    const space = await this.order(this.#operator, async ({ admin }) => {
      try {
        return await admin?.upkeep.space();
      } catch {
        return undefined;
      }
    });
    if (typeof space === "string" || space.done === undefined || this.calm) return;
    this.tell("disk", `is full but for ${freeOctets} octets`);
    machine.capacityOctets = space.done.total - space.done.free + freeOctets;
    runtime.after(runtime.outside, forMs, () => {
      this.tell("disk", "has room again");
      // Not what it was before: two of these may overlap.
      machine.capacityOctets = ROOM_OCTETS;
    });
  }

  #jump(byMs: number): void {
    this.counts.clockJumps += 1;
    this.tell("clock", `jumps by ${byMs / HOUR_MS} h`);
    // What stood for a day before this was believed.
    this.agingWall();
    this.runtime.clockError += byMs;
    this.#jumpedAt = this.runtime.monotonic();
    if (this.runtime.clockError - this.#acceptedError <= HOUR_MS) this.#accept(this.runtime.clockError);
  }

  #accept(error: number): void {
    this.#acceptedError = Math.max(this.#acceptedError, error);
  }

  // The operator looks while there is traffic, and starts a store again that has stopped.
  #probeSoon(): void {
    if (this.#probing) return;
    this.#probing = true;
    this.runtime.after(this.#operator, PROBE_MS, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const outcome = await this.order(this.#operator, async ({ admin }) => {
      try {
        return await admin?.upkeep.state();
      } catch {
        return "failed";
      }
    });
    this.#probing = false;
    if (typeof outcome === "object" && outcome.done === "stopped") {
      this.tell("operator", "starts the server again, for its store has stopped");
      this.counts.restartsAfterStop += 1;
      this.end("kill", BOOT_AGAIN_MS);
    }
    if (this.runtime.monotonic() - this.#lastConnect < 2 * PROBE_MS) this.#probeSoon();
  }

  #failed(owner: Owner, cause: unknown): void {
    if (cause instanceof Error && cause.name === "ProcessEnded") return;
    if (cause instanceof BrokenPromise) this.#break(cause.message);
    else if (cause instanceof NoAnswer) this.#break(`P9: ${owner.name}: ${cause.message}`);
    else
      this.#break(`${owner.name} failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
  }

  #break(what: string): void {
    this.broken ??= what;
    this.tell("BROKEN", what);
  }

  /** What the course of things threw. */
  fail(cause: unknown): void {
    this.#failed(this.runtime.outside, cause);
  }

  addresses(): readonly string[] {
    return Array.from({ length: this.plan.accounts }, (_, index) => addressOf(index));
  }
}
