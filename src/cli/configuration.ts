import type { Loaded, LoadOptions } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { Failure, type Context } from "./context.ts";

/** What `loadConfig` is asked to look at. */
export function loadOptionsOf({ world, configFile }: Context): LoadOptions {
  return { file: configFile, environment: world.environment, directory: world.directory };
}

/** Reads the configuration; what is wrong with it is listed, and ends the command. */
export async function loadOrFail(context: Context): Promise<Loaded> {
  const { loadConfig } = await import("../config/load.ts");
  const loaded = loadConfig(loadOptionsOf(context));
  if (loaded.ok) return loaded.value;
  throw await configFailure(context, loaded.error);
}

/** Lists what is wrong with a configuration and gives the failure that ends the command. */
export async function configFailure(context: Context, problems: readonly Problem[]): Promise<Failure> {
  const { describeProblem } = await import("../config/problem.ts");
  if (!context.json) {
    for (const problem of problems) context.world.stderr.write(`${describeProblem(problem, context.language)}\n`);
  }
  const listed = problems.map((problem) => ({
    source: problem.source,
    key: problem.key,
    message: describeProblem(problem, context.language),
  }));
  return new Failure(context.say("config.problems", { count: problems.length }), { problems: listed });
}
