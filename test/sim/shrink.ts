import type { ActorPlan, FaultPlan, Plan } from "./plan.ts";
import type { Outcome } from "./simulate.ts";

/** Plays a plan. */
export type Play = (plan: Plan) => Promise<Outcome>;

/** Runs that one shrinking may take. */
const MOST_RUNS = 600;

/** Leaves out of a plan all that its failure does not need: as long as the same promise is broken, it is the same failure. */
export async function shrink(plan: Plan, broken: string, play: Play): Promise<Plan> {
  const shrinking = new Shrinking(plan, kindOf(broken), play);
  for (let before = Number.POSITIVE_INFINITY; sizeOf(shrinking.plan) < before && shrinking.runs < MOST_RUNS;) {
    before = sizeOf(shrinking.plan);
    // oxlint-disable-next-line no-await-in-loop -- each round begins where the last one ended
    await shrinking.round();
  }
  return shrinking.plan;
}

class Shrinking {
  plan: Plan;
  runs = 0;
  readonly #kind: string;
  readonly #play: Play;

  constructor(plan: Plan, kind: string, play: Play) {
    this.plan = plan;
    this.#kind = kind;
    this.#play = play;
  }

  async round(): Promise<void> {
    await this.#fewer(this.plan.actors, (actors) => ({ ...this.plan, actors }));
    await this.#fewer(this.plan.faults, (faults) => ({ ...this.plan, faults }));
    for (const [index] of this.plan.actors.entries()) await this.#lessOf(index);
    for (const [index, fault] of this.plan.faults.entries()) await this.#earlier(index, fault);
    await this.#try({ ...this.plan, line: { latencyMs: 0.5, window: 65_536, packet: 65_536 } });
  }

  /** Leaves out half of a list, a quarter, … one by one. */
  async #fewer<T>(list: readonly T[], make: (rest: readonly T[]) => Plan): Promise<void> {
    let left = list;
    for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < left.length;) {
        const rest = [...left.slice(0, at), ...left.slice(at + size)];
        if (await this.#try(make(rest))) left = rest;
        else at += size;
      }
    }
  }

  async #lessOf(index: number): Promise<void> {
    const actor = this.plan.actors[index];
    if (actor === undefined) return;
    const put = (changed: ActorPlan): Plan => ({
      ...this.plan,
      actors: this.plan.actors.map((one, at) => (at === index ? changed : one)),
    });
    if (actor.kind === "sender") {
      await this.#fewer(actor.mails, (mails) => put({ ...actor, mails }));
      await this.#simpler(index, put, (one) => one.kind === "sender" && { ...one, vanish: undefined });
      await this.#simpler(
        index,
        put,
        (one) =>
          one.kind === "sender" && {
            ...one,
            mails: one.mails.map((mail) => ({ ...mail, octets: 120, resets: false, pipelined: false, pauseMs: 0 })),
          },
      );
    } else if (actor.kind === "reader") {
      await this.#fewer(actor.visits, (visits) => put({ ...actor, visits }));
      await this.#simpler(
        index,
        put,
        (one) =>
          one.kind === "reader" && {
            ...one,
            visits: one.visits.map((visit) => ({ ...visit, resets: false, pipelined: false, stallMs: 0, idleMs: 0 })),
          },
      );
    } else await this.#fewer(actor.acts, (acts) => put({ ...actor, acts }));
  }

  async #simpler(
    index: number,
    put: (changed: ActorPlan) => Plan,
    change: (actor: ActorPlan) => ActorPlan | false,
  ): Promise<void> {
    const actor = this.plan.actors[index];
    const changed = actor !== undefined && change(actor);
    if (changed !== false) await this.#try(put(changed));
  }

  /** A crash at one of the first steps is easier to follow. */
  async #earlier(index: number, fault: FaultPlan): Promise<void> {
    if (fault.kind !== "kill" && fault.kind !== "power") return;
    for (const steps of [0, 1, 2, 4, 8, 16, 32].filter((few) => few < fault.steps)) {
      const faults = this.plan.faults.map((one, at) => (at === index ? { ...fault, steps } : one));
      if (await this.#try({ ...this.plan, faults })) return;
    }
  }

  async #try(plan: Plan): Promise<boolean> {
    if (this.runs >= MOST_RUNS) return false;
    // What leaves nothing out is no step.
    if (JSON.stringify(plan) === JSON.stringify(this.plan)) return false;
    this.runs += 1;
    const { broken } = await this.#play(plan);
    if (broken === undefined || kindOf(broken) !== this.#kind) return false;
    this.plan = plan;
    return true;
  }
}

/** The promise, or the first words of what went wrong. */
function kindOf(broken: string): string {
  return broken.slice(0, broken.indexOf(":") + 1) || broken.slice(0, 20);
}

function sizeOf(plan: Plan): number {
  return JSON.stringify(plan).length;
}
