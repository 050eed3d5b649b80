import type { Offline, OfflineRefusal } from "../admin/services.ts";
import type { Loaded, LoadOptions } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";

/** What `mailkeep serve` hands to the server: what was read, and how to read it again at SIGHUP. */
export type ServeOptions = {
  readonly loaded: Loaded;
  /** For `loadConfig` at a reload: the same file, environment and folder. */
  readonly loadOptions: LoadOptions;
};

/**
 * What the commands need of `app/`, imported only when a command asks for it so that the others start fast:
 * from `src/app/{serve,offline,certificates}.ts`.
 */
export type CliPorts = {
  /** Runs the server until it is told to stop; gives the exit code. */
  readonly serve: (options: ServeOptions) => Promise<number>;
  /** Takes the folder's lock and opens the store for one command. */
  readonly openOffline: (config: Config) => Promise<Result<Offline, OfflineRefusal>>;
  /** Looks at the files that the configuration names as the server would at its start; undefined: they are right. */
  readonly checkCertificate: (
    config: Config,
    clock: Clock,
  ) => Promise<{ readonly key: "tls.certificate" | "tls.key"; readonly reason: string } | undefined>;
};
