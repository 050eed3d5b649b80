import type { Offline, OfflineRefusal } from "../admin/services.ts";
import { createCredentialMaker } from "../auth/credentials-made.ts";
import { createPasswords } from "../auth/password.ts";
import { deriveHouseKeys, openSecretKey } from "../auth/secret-key.ts";
import type { Config } from "../config/schema.ts";
import { systemClock } from "../lib/clock.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { createObserve } from "../observe/observe.ts";
import { descriptorOutput } from "../observe/output.ts";
import { lockFolder } from "../store/lock.ts";
import { openStore } from "../store/open.ts";
import { createScrubber } from "../store/scrub/scrubber.ts";
import { accountDefaults, defaultQuota } from "./build.ts";
import { certificateServices } from "./certificates.ts";
import { warnOfLostKey } from "./lost-key.ts";
import { lockSentence, openSentence, secretKeySentence } from "./refusals.ts";
import { version } from "./version.ts";

/** Takes the folder's lock and opens the store in this thread, for one command while no server runs. */
export async function openOffline(config: Config): Promise<Result<Offline, OfflineRefusal>> {
  const folder = config.server.dataDirectory;
  await using parts = new AsyncDisposableStack();
  const lock = lockFolder(folder);
  if (!lock.ok) return err({ kind: lock.error, reason: lockSentence(lock.error, folder, "en") });
  parts.use(lock.value);
  const secretKey = await openSecretKey(folder);
  if (!secretKey.ok) return err({ kind: "failed", reason: secretKeySentence(secretKey.error, folder, "en") });
  // A command's own output must stay readable for programs: its log goes to standard error, and only what matters.
  const observe = parts.use(
    createObserve({ level: "warn", format: "console", slots: 1, version, output: descriptorOutput(2) }),
  );
  const { log, metrics } = observe;
  const opened = await openStore({ folder, log, metrics });
  if (!opened.ok) {
    return err({ kind: opened.error.kind, reason: openSentence(opened.error, folder, "en") });
  }
  const store = parts.use(opened.value);
  if (secretKey.value.made) await warnOfLostKey(store, log);
  const passwords = parts.use(createPasswords({ metrics, concurrency: 2, queue: 64 }));
  const maker = createCredentialMaker({ passwords, keys: deriveHouseKeys(secretKey.value.octets) });
  const held = parts.move();
  return ok({
    services: {
      store,
      defaultQuota: () => defaultQuota(config),
      defaults: () => accountDefaults(config),
      ...maker,
      certificates: certificateServices(() => config, systemClock),
      // What it finds the command itself prints.
      scrubber: createScrubber({
        folder,
        scrub: store.scrub,
        log: { ...log, error: () => undefined },
        metrics,
        clock: systemClock,
      }),
      schema: opened.value.schema,
      log,
      clock: systemClock,
    },
    close: () => held.disposeAsync(),
  });
}
