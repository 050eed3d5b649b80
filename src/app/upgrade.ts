import type { Config } from "../config/schema.ts";
import type { Result } from "../lib/result.ts";
import { err } from "../lib/result.ts";
import { createObserve } from "../observe/observe.ts";
import { descriptorOutput } from "../observe/output.ts";
import type { LockRefusal } from "../store/lock.ts";
import { lockFolder } from "../store/lock.ts";
import { upgradeStore } from "../store/upgrade/upgrade-store.ts";
import type { UpgradeProgress, Upgraded, UpgradeRefusal } from "../store/upgrade/upgraded.ts";
import { lockSentence } from "./refusals.ts";
import { version } from "./version.ts";

/** Takes the folder's lock and brings its store to this program's schema, tried on a copy before. */
export async function upgrade(
  config: Config,
  options: { readonly all: boolean; readonly progress: UpgradeProgress },
): Promise<Result<Upgraded, UpgradeRefusal | { readonly kind: LockRefusal; readonly reason: string }>> {
  const folder = config.server.dataDirectory;
  const lock = lockFolder(folder);
  if (!lock.ok) return err({ kind: lock.error, reason: lockSentence(lock.error, folder, "en") });
  using _ = lock.value;
  using observe = createObserve({
    level: "warn",
    format: "console",
    slots: 1,
    version,
    output: descriptorOutput(2),
  });
  const { log, metrics } = observe;
  return await upgradeStore({ folder, log, metrics, ...options });
}
