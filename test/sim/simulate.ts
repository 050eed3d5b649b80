import { real, within } from "./patch.ts";
import "./small-limits.ts";
import { BrokenPromise } from "./broken-promise.ts";
import type { Plan } from "./plan.ts";

// After what stands in for the machine is in place.
const { makePlan } = await import("./make-plan.ts");
const { World } = await import("./world.ts");
const { runCourse } = await import("./course.ts");
const { randomTag } = await import("../../src/store/write/random-tag.ts");
const { newSessionName } = await import("../../src/pop3/session-names.ts");

/** What a simulation came to. */
export type Outcome = {
  readonly seed: number;
  /** The promise that was broken, and how; undefined: none was. */
  readonly broken: string | undefined;
  readonly story: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
};

export type SimulateOptions = {
  /** Writes the story down, which takes longer. */
  readonly story?: boolean;
};

/** Plays what a seed says, and gives what came of it: the same each time. */
export function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  return play(makePlan(seed), options);
}

/** Plays a plan. */
export function play(plan: Plan, { story = false }: SimulateOptions = {}): Promise<Outcome> {
  // At the bottom of a turn of its own, for it is the turns of the simulation that end within it (runtime.ts).
  return new Promise((resolve) => {
    real.setImmediate(() => resolve(Promise.try(() => playNow(plan, story))));
  });
}

// So much after its last actor came, everything is long over.
const LONGEST_MS = 6 * 3_600_000;

function playNow(plan: Plan, told: boolean): Outcome {
  const world = new World(plan, told);
  const { runtime } = world;
  return within(runtime, () => {
    beginAnew(runtime);
    let over = false;
    runtime.after(runtime.outside, 0, () => {
      runCourse(world).then(
        () => (over = true),
        (cause: unknown) => world.fail(cause),
      );
    });
    const last = Math.max(0, ...plan.actors.map(({ at }) => at));
    const ended = runtime.run(() => over || world.broken !== undefined, last + LONGEST_MS);
    if (ended !== "done") world.fail(new BrokenPromise("P9", `${ended}: something waits that never comes`));
    return outcomeOf(world);
  });
}

// Chance that was drawn in advance for the seed before is used up.
function beginAnew(runtime: InstanceType<typeof World>["runtime"]): void {
  for (const draw of [randomTag, newSessionName]) for (const { draws } = runtime; runtime.draws === draws;) draw();
}

function outcomeOf(world: InstanceType<typeof World>): Outcome {
  const { oracle, counts, faults, runtime, plan } = world;
  const figures = {
    ...counts,
    diskFaults: faults.hits,
    tasks: runtime.tasks,
    acknowledged: oracle.acknowledged,
    removed: oracle.removed,
    checks: oracle.checks,
    virtualMs: Math.round(runtime.now),
  };
  return { seed: plan.seed, broken: world.broken, story: world.story.lines, figures };
}
