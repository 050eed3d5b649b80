import type { Result } from "../lib/result.ts";
import type { Problem, Source } from "./problem.ts";
import type { Config } from "./schema.ts";

/** A configuration that was read and is right. */
export type Loaded = {
  readonly config: Config;
  /** The file that was read; undefined: there was none, and nothing but the environment changed the defaults. */
  readonly file: string | undefined;
  /** Where each key's value came from, by its path in the file's spelling; what is missing came from the defaults. */
  readonly sources: ReadonlyMap<string, Source>;
};

/** What `loadConfig` looks at; each is the process's own unless given. */
export type LoadOptions = {
  /** The file named on the command line. */
  readonly file?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The folder from which relative names count. */
  readonly directory?: string;
};

/** Finds, reads and checks the configuration; says everything that is wrong with it at once. */
export function loadConfig(_options: LoadOptions = {}): Result<Loaded, readonly Problem[]> {
  throw new Error("not written yet");
}
