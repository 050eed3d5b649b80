import type { Readable, Writable } from "node:stream";
import type { Language } from "../config/language.ts";
import type { Say } from "./language.ts";
import type { CliPorts } from "./ports.ts";

/** What a command sees of its process. */
export type World = {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly ports: CliPorts;
};

/** What every command is handed. */
export type Context = {
  readonly world: World;
  readonly language: Language;
  readonly say: Say;
  readonly json: boolean;
  /** The file of --config. */
  readonly configFile: string | undefined;
};

/** What a command was given on its line. */
export type Given = {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
};

/** A command line that makes no sense: exit code 2, with a pointer to the help. */
export class UsageError extends Error {}

/** A command that failed: exit code 1, with this line on stderr. */
export class Failure extends Error {
  /** For --json. */
  readonly facts: object;

  constructor(message: string, facts: object = {}) {
    super(message);
    this.facts = facts;
  }
}

/** Writes a result: as JSON where that was asked for, else as text. */
export function answer(context: Context, value: unknown, text: () => string): void {
  const out = context.json ? JSON.stringify(value, undefined, 2) : text();
  context.world.stdout.write(`${out}\n`);
}
