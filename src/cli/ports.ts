import type { Offline, OfflineFailure } from "../admin/services.ts";
import type { Loaded, LoadOptions } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Result } from "../lib/result.ts";

/** What `mailkeep serve` hands to the server: what was read, and how to read it again at SIGHUP. */
export type ServeOptions = {
  readonly loaded: Loaded;
  /** For `loadConfig` at a reload: the same file, environment and folder. */
  readonly loadOptions: LoadOptions;
};

/**
 * What the commands need of `app/`, imported only when a command asks for it so that the others start fast.
 * `src/app/serve.ts` exports `serve`, `src/app/offline.ts` exports `openOffline`.
 */
export type CliPorts = {
  /** Runs the server until it is told to stop; gives the exit code. */
  serve(options: ServeOptions): Promise<number>;
  /** Takes the folder's lock and opens the store for one command. */
  openOffline(config: Config): Promise<Result<Offline, OfflineFailure>>;
  /** Whether certificate and key can be read and fit; undefined: they do, else which key of the file and why. */
  checkCertificate(
    config: Config,
  ): Promise<{ readonly key: "tls.certificate" | "tls.key"; readonly reason: string } | undefined>;
};
