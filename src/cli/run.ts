import { CommanderError } from "commander";
import { commands } from "./commands.ts";
import { Failure, UsageError, type World } from "./context.ts";
import { languageOf } from "../config/language.ts";
import { speak, type Say } from "./language.ts";
import { buildProgram, describeUsage } from "./program.ts";
import { processWorld } from "./process-world.ts";

/** Runs a command line. 0: done; 1: failed, with one clear line on stderr; 2: wrong usage. */
export async function run(words: readonly string[], world: World = processWorld()): Promise<number> {
  const say = speak(languageOf(world.environment));
  const outcome = { code: 0 };
  const program = buildProgram(world, say, outcome);
  try {
    await program.parseAsync([...words], { from: "user" });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // The help that a bare `mailkeep user` gives has been written.
    if (error instanceof CommanderError && error.code === "commander.help") return 2;
    if (error instanceof CommanderError || error instanceof UsageError) {
      const command = ["mailkeep", ...commandWords(words)].join(" ");
      const [wrong, see] = [describeUsage(error, say), say("usage.see", { command })];
      const json = words.includes("--json");
      world.stderr.write(json ? `${JSON.stringify({ error: wrong, see })}\n` : `mailkeep: ${wrong}\n${see}\n`);
      return 2;
    }
    fail(world, say, error, words.includes("--json"));
    return 1;
  }
}

// One `catch` for what nobody expected, here at the top of the command.
function fail(world: World, say: Say, error: unknown, json: boolean): void {
  const message = error instanceof Failure ? error.message : say("failure.unexpected", { reason: reasonOf(error) });
  const facts = error instanceof Failure ? error.facts : {};
  world.stderr.write(json ? `${JSON.stringify({ error: message, ...facts })}\n` : `mailkeep: ${message}\n`);
}

function reasonOf(error: unknown): string {
  const parts: string[] = [];
  for (let cause = error; cause instanceof Error && parts.length < 5; cause = cause.cause) parts.push(cause.message);
  return parts.length === 0 ? String(error) : parts.join(": ");
}

// As many of the words as name a command or a group, so that the pointer to its help is right.
function commandWords(words: readonly string[]): readonly string[] {
  let named = 0;
  while (named < words.length && commands.some(({ path }) => startsWith(path, words.slice(0, named + 1)))) named += 1;
  return words.slice(0, named);
}

function startsWith(path: readonly string[], words: readonly string[]): boolean {
  return words.every((word, index) => path[index] === word);
}
