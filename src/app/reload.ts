import { changes } from "../config/explain.ts";
import { loadConfig, type LoadOptions } from "../config/load.ts";
import { describeProblem } from "../config/problem.ts";
import type { Config } from "../config/schema.ts";
import type { Observe } from "../observe/observe.ts";
import type { ServedCertificate } from "./certificates.ts";
import type { ProtocolThreads } from "./protocol-threads.ts";

export type ReloadParts = {
  readonly loadOptions: LoadOptions;
  readonly current: () => Config;
  readonly apply: (config: Config) => void;
  readonly certificate: ServedCertificate;
  readonly threads: ProtocolThreads;
  readonly observe: Observe;
};

/**
 * Reads the configuration again (SIGHUP). What needs a restart is named and refused, and then nothing is applied: never
 * half of it. The certificate's files are read again in any case in which the configuration is right.
 */
export async function reload(parts: ReloadParts): Promise<void> {
  const { log } = parts.observe;
  const loaded = loadConfig(parts.loadOptions);
  if (!loaded.ok) {
    const reason = loaded.error.map((problem) => describeProblem(problem, "en")).join("\n");
    log.error("server.reload.refused", { reason, keys: loaded.error.map(({ key }) => key) });
    return;
  }
  const { config } = loaded.value;
  const changed = changes(parts.current(), config);
  if (changed.restart.length > 0) {
    const reason = "these keys need a restart; nothing was applied";
    log.error("server.reload.refused", { reason, keys: [...changed.restart] });
    return;
  }
  const certificate = await parts.certificate.reload(config);
  if (!certificate.ok) {
    log.error("server.reload.refused", { reason: certificate.error, keys: ["tls.certificate", "tls.key"] });
    return;
  }
  parts.apply(config);
  parts.observe.setLevel(config.log.level);
  parts.threads.reload(config);
  log.info("server.reloaded", { changed: [...changed.live] });
}
