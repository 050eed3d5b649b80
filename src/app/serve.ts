import { flushCompileCache } from "node:module";
import { availableParallelism } from "node:os";
import { serveControl } from "../admin/control.ts";
import { createCredentialMaker, type CredentialMaker } from "../auth/credentials-made.ts";
import { seedKnownPlaces } from "../auth/known-places.ts";
import { createPasswords } from "../auth/password.ts";
import { deriveHouseKeys } from "../auth/secret-key.ts";
import { shareThrottle, type SharedThrottle } from "../auth/shared-throttle.ts";
import { createThrottle, type PenaltyFilter } from "../auth/throttle.ts";
import type { ServeOptions } from "../config/load.ts";
import { languageOf } from "../config/language.ts";
import type { Config } from "../config/schema.ts";
import { createCountsMemory } from "../lib/shared-counts.ts";
import { systemClock } from "../lib/clock.ts";
import { addressText } from "../net/listener.ts";
import { createNetworkLimitsMemory } from "../net/network-limits.ts";
import { createHealth, type Health } from "../observe/health.ts";
import { createObserve, type Observe } from "../observe/observe.ts";
import type { Addresses } from "./bind.ts";
import { accountDefaults, defaultQuota } from "./build.ts";
import { certificateServices } from "./certificates.ts";
import { layFoundation, orRefuse, StartRefusal, type Foundation } from "./foundation.ts";
import { listenHttp } from "./http.ts";
import { startJobs, type JobFigures } from "./jobs.ts";
import { CLOSING_SECONDS, die, endInTime, onCrash } from "./last-words.ts";
import { watchLauncher } from "./launcher-watch.ts";
import type { OpenStore } from "../store/open.ts";
import { createScrubber } from "../store/scrub/scrubber.ts";
import { ProtocolThreads } from "./protocol-threads.ts";
import { bannerFor, makeDemo, newCacheKey } from "./prove.ts";
import { reload } from "./reload.ts";
import { onSignals } from "./signals.ts";
import type { ThreadSetup } from "./thread-messages.ts";
import { version } from "./version.ts";

/**
 * Runs the server until it is told to stop: starts its parts in order, says when it is ready, and stops them in reverse.
 * Gives the exit code: 0 after an orderly stop, 1 when it could not start.
 */
export async function serve(options: ServeOptions): Promise<number> {
  try {
    await run(options);
    return 0;
  } catch (cause) {
    if (!(cause instanceof StartRefusal)) throw cause;
    process.stderr.write(`mailkeep: ${cause.message}\n`);
    return 1;
  }
}

const LAUNCHER_GONE = "launcher gone";

async function run({ loaded, loadOptions }: ServeOptions): Promise<void> {
  const startedAt = performance.now();
  // Before the pool's first use: hashing takes at most a thread for each CPU of it, reads of bodies and syncs the rest.
  process.env["UV_THREADPOOL_SIZE"] ??= String(4 + availableParallelism());
  const { config } = loaded;
  const threads = config.server.threads || Math.max(1, availableParallelism() - 1);
  await using parts = new AsyncDisposableStack();
  const stopWish = Promise.withResolvers<string>();
  const observe = parts.use(
    createObserve({ level: config.log.level, format: formatOf(config), slots: threads + 2, version }),
  );
  parts.use(onCrash(observe));
  observe.log.info("server.starting", { version, node: process.versions.node, data: config.server.dataDirectory });
  const health = createHealth(["server", "store", "listeners"]);

  const foundation = await layFoundation(parts, config, observe, languageOf(process.env));
  const { addresses, certificate, storeThread, store } = foundation;
  void storeThread.ended.then((death) => death && die(observe, death));
  health.say("store", "ready");
  await lookForPostmaster(config, store, observe);

  const live = { config };
  const { maker, throttle } = await openLogins(parts, foundation, observe);
  const demo = loaded.file === undefined ? await makeDemo(config, store, maker) : undefined;

  const shared = { cacheKey: newCacheKey(), ...countedTogether(config, threads) };
  const protocols = new ProtocolThreads({
    count: threads,
    setup: (number) => threadSetup({ number, threads, live, foundation, observe, shared }),
    log: observe.log,
    metrics: observe.metrics,
  });
  let running = true;
  parts.defer(async () => void (running && (await protocols.stop(0))));
  orRefuse(await protocols.start());
  certificate.whenReplaced((material) => protocols.useCertificate(material));

  const reloading = {
    loadOptions,
    current: () => live.config,
    apply: (changed: Config) => (live.config = changed),
    certificate,
    threads: protocols,
    observe,
  };
  const signals = parts.use(
    onSignals({
      stop: stopWish.resolve,
      endNow: () => process.exit(1),
      reload: () => void reload(reloading).catch((cause: unknown) => reloadFailed(observe, cause)),
    }),
  );
  parts.use(watchLauncher(() => signals.stop(LAUNCHER_GONE)));
  await openOffices(parts, { config: () => live.config, foundation, maker, throttle, health, observe });
  announce(observe, health, addresses, threads, startedAt);
  if (demo !== undefined) process.stdout.write(bannerFor(addresses.threads, demo, certificate.file));
  flushCompileCache();

  await stopSessions(await stopWish.promise, live.config, { health, observe, protocols });
  running = false;
}

/** What makes credentials, and the throttle that hears of all failures and tells a thread that is started again. */
async function openLogins(
  parts: AsyncDisposableStack,
  { secretKey, store }: Foundation,
  { metrics }: Observe,
): Promise<{ readonly maker: CredentialMaker; readonly throttle: SharedThrottle }> {
  const passwords = parts.use(createPasswords({ metrics, concurrency: 1, queue: 64 }));
  const throttle = parts.use(shareThrottle(createThrottle(), { replica: true }));
  await seedKnownPlaces(throttle, store.devices, systemClock);
  return { maker: createCredentialMaker({ passwords, keys: deriveHouseKeys(secretKey) }), throttle };
}

/** The memory in which all threads count together. */
function countedTogether(
  { limits: { connections } }: Config,
  threads: number,
): Pick<ThreadSetup, "networks" | "accounts"> {
  return {
    networks: createNetworkLimitsMemory({ connections, threads }),
    accounts: createCountsMemory({ capacity: connections, threads }),
  };
}

/** Lets sessions finish, as long as the configuration says. */
async function stopSessions(
  signal: string,
  config: Config,
  parts: { readonly health: Health; readonly observe: Observe; readonly protocols: ProtocolThreads },
): Promise<void> {
  const { health, observe, protocols } = parts;
  health.say("server", "stopping");
  observe.log.info("server.stopping", { signal });
  // Whoever killed the launcher wants it gone, and perhaps started the next one already.
  const seconds = signal === LAUNCHER_GONE ? 0 : config.server.drainSeconds;
  endInTime(observe, seconds + CLOSING_SECONDS);
  const sessionsCut = await protocols.stop(seconds);
  observe.log.info("server.stopped", { sessionsCut });
}

async function lookForPostmaster({ server }: Config, store: OpenStore, { log }: Observe): Promise<void> {
  if (server.postmaster === undefined) return;
  const account = await store.directory.account(server.postmaster);
  if (account?.enabled !== true) log.warn("server.postmaster.missing", { address: server.postmaster });
}

type SetupParts = {
  readonly number: number;
  readonly threads: number;
  readonly live: { readonly config: Config };
  readonly foundation: Foundation;
  readonly observe: Observe;
  readonly shared: Pick<ThreadSetup, "cacheKey" | "networks" | "accounts">;
};

function threadSetup({ number, threads, live, foundation, observe, shared }: SetupParts) {
  const { addresses, certificate, storeThread, secretKey } = foundation;
  const observed = observe.shareWith(number + 1);
  const connection = storeThread.connect();
  // A unix listener lives on one thread (DESIGN "Threads").
  const listeners = addresses.threads.filter(({ address }) => number === 1 || !("path" in address));
  const data = {
    number,
    threads,
    config: live.config,
    listeners,
    certificate: certificate.material,
    store: connection,
    observe: observed.value,
    secretKey,
    ...shared,
  };
  return { data, transfer: [connection.port, ...observed.transfer] };
}

type OfficeParts = {
  readonly config: () => Config;
  readonly foundation: Foundation;
  readonly maker: CredentialMaker;
  readonly throttle: SharedThrottle;
  readonly health: Health;
  readonly observe: Observe;
};

/** What the operator uses: HTTP, the control socket, and the jobs. */
async function openOffices(parts: AsyncDisposableStack, offices: OfficeParts): Promise<void> {
  const { config, foundation, maker, throttle, health, observe } = offices;
  const { store, certificate, storeThread } = foundation;
  const { log, metrics } = observe;
  const lastTime = await store.upkeep.lastTime();
  parts.use(startJobs({ ...jobFigures(config), store, health, clock: systemClock, lastTime, log, metrics }));
  const folder = config().server.dataDirectory;
  const scrubber = createScrubber({ folder, scrub: store.scrub, log, metrics, clock: systemClock });
  // For its metrics.
  await scrubber.last();
  const services = {
    store,
    defaultQuota: () => defaultQuota(config()),
    defaults: () => accountDefaults(config()),
    ...maker,
    penalties: {
      list: () => throttle.penalties(systemClock.monotonic()),
      clear: (filter: PenaltyFilter) => throttle.clear(filter, systemClock.monotonic()),
    },
    certificates: certificateServices(config, systemClock, () => certificate.reload(config())),
    scrubber,
    schema: storeThread.schema,
    log,
    clock: systemClock,
  };
  parts.use(await serveControl({ folder, services }));
  const http = await listenHttp(foundation.addresses.http, { health, renderMetrics: observe.render });
  parts.use(orRefuse(http));
}

function jobFigures(config: () => Config): JobFigures {
  return {
    eraseDays: () => config().retention.eraseDays,
    undeleteDays: () => config().retention.undeleteDays,
    expireDays: () => config().retention.expireDays,
    historyDays: () => config().retention.historyDays,
    freePercent: () => config().store.freePercent,
  };
}

function announce({ log }: Observe, health: Health, addresses: Addresses, threads: number, startedAt: number): void {
  health.say("listeners", "ready");
  health.say("server", "ready");
  const listeners = [
    ...addresses.threads.map(({ protocol, tls, address }) => ({ protocol, tls, address: addressText(address) })),
    ...addresses.http.map((address) => ({ protocol: "http", tls: "none", address: addressText(address) })),
  ];
  for (const listener of listeners) log.info("listener.bound", listener);
  log.info("server.ready", {
    listeners: listeners.map(({ protocol, address }) => `${protocol} ${address}`),
    threads,
    startMs: Math.round(performance.now() - startedAt),
  });
}

function reloadFailed({ log }: Observe, cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  log.error("server.reload.refused", { reason, keys: [] });
}

function formatOf(config: Config): "json" | "console" {
  if (config.log.format !== "auto") return config.log.format;
  return process.stdout.isTTY ? "console" : "json";
}
