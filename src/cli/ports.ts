import type { Offline, OfflineRefusal } from "../admin/services.ts";
import type { ServeOptions } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { UpgradeProgress, Upgraded, UpgradeRefusal } from "../store/upgrade/upgraded.ts";

/**
 * What the commands need of `app/`, imported only when a command asks for it so that the others start fast:
 * from `src/app/{serve,offline,upgrade,certificates}.ts`.
 */
export type CliPorts = {
  /** Runs the server until it is told to stop; gives the exit code. */
  readonly serve: (options: ServeOptions) => Promise<number>;
  /** Takes the folder's lock and opens the store for one command. */
  readonly openOffline: (config: Config) => Promise<Result<Offline, OfflineRefusal>>;
  /** Takes the folder's lock and brings its store to this program's schema, tried on a copy before. */
  readonly upgrade: (
    config: Config,
    options: { readonly all: boolean; readonly progress: UpgradeProgress },
  ) => Promise<
    Result<Upgraded, { readonly kind: OfflineRefusal["kind"] | UpgradeRefusal["kind"]; readonly reason: string }>
  >;
  /** Looks at the files that the configuration names as the server would at its start; undefined: they are right. */
  readonly checkCertificate: (
    config: Config,
    clock: Clock,
  ) => Promise<{ readonly key: "tls.certificate" | "tls.key"; readonly reason: string } | undefined>;
};
