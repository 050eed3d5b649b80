import { KNOWN_MS } from "../auth/throttle.ts";
import type { Clock } from "../lib/clock.ts";
import { createPatientClock } from "../lib/patient-clock.ts";
import { expireOld } from "../mailbox/retention.ts";
import { eraseRemoved } from "../mailbox/undelete.ts";
import type { Health } from "../observe/health.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { type Store, StoreError } from "../store/ports.ts";

/** The configured figures that jobs go by, as functions, so that a reload holds from the next turn on. */
export type JobFigures = {
  /** retention.erase_days */
  readonly eraseDays: () => number;
  /** retention.undelete_days */
  readonly undeleteDays: () => number;
  /** retention.expire_days */
  readonly expireDays: () => number;
  /** retention.history_days */
  readonly historyDays: () => number;
  /** store.free_percent */
  readonly freePercent: () => number;
};

export type JobParts = JobFigures & {
  readonly store: Pick<Store, "directory" | "mail" | "leases" | "history" | "upkeep">;
  readonly health: Health;
  readonly clock: Clock;
  /** Upkeep.lastTime at the start. */
  readonly lastTime: number | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
};

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

type Job = {
  readonly name: string;
  readonly everyMs: number;
  /** Until the first turn; as long as between turns where nothing is said. */
  readonly firstMs?: number;
  readonly turn: (parts: JobParts, stopping: AbortSignal) => Promise<void>;
};

const JOBS: readonly Job[] = [
  { name: "health", everyMs: 5 * SECOND_MS, turn: lookHowItIs },
  { name: "clock", everyMs: HOUR_MS, firstMs: MINUTE_MS, turn: noteTime },
  { name: "expire", everyMs: 10 * MINUTE_MS, firstMs: MINUTE_MS, turn: expireOld },
  { name: "erase", everyMs: MINUTE_MS, turn: erase },
  { name: "reclaim", everyMs: MINUTE_MS, turn: reclaim },
  { name: "forget", everyMs: HOUR_MS, turn: forget },
];

/** Runs what keeps the store small and says how it is, until disposed; a job that fails is tried at its next turn. */
export function startJobs(given: JobParts): AsyncDisposable {
  const stopping = new AbortController();
  const jumped = (ms: number): void => given.log.warn("clock.jumped", { hours: Math.round(ms / HOUR_MS) });
  const clock = createPatientClock(given.clock, jumped, given.lastTime);
  const parts = { ...given, clock };
  const running = JOBS.map((job) => run(job, parts, stopping.signal));
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** One job: its turns follow one another and never overlap. Resolves when it was told to stop and its turn has ended. */
async function run({ name, everyMs, firstMs, turn }: Job, parts: JobParts, stopping: AbortSignal): Promise<void> {
  for (let wait = firstMs ?? everyMs; !(await stoppedWithin(wait, stopping)); wait = everyMs) {
    try {
      await turn(parts, stopping);
    } catch (cause) {
      parts.log.error("job.failed", { job: name, reason: cause instanceof Error ? cause.message : String(cause) });
    }
  }
}

const NOT_WELL = {
  full: "no room on the disk",
  failed: "a write failed",
  stopped: "a sync failed: look after the disk, then restart the server",
} as const;

// Far longer than a commit takes: by then a call of the disk does not come back, and nobody else would say so.
const PATIENCE_MS = 10 * SECOND_MS;

async function lookHowItIs({ store, health, metrics, log }: JobParts): Promise<void> {
  const asked = store.upkeep.state();
  let hangs = false;
  const noAnswer = setTimeout(() => {
    hangs = true;
    health.say("store", "failed", "the store gives no answer: a write or a sync does not come back from the disk");
    log.error("store.hangs", { seconds: PATIENCE_MS / SECOND_MS });
  }, PATIENCE_MS);
  const state = await asked.finally(() => clearTimeout(noAnswer));
  if (hangs) log.info("store.answers", {});
  if (state === "ok") health.say("store", "ready");
  else health.say("store", "failed", NOT_WELL[state]);
  const { free, total } = await store.upkeep.space();
  metrics.gauge("mailkeep_disk_free_octets").set(free);
  metrics.gauge("mailkeep_disk_octets").set(total);
}

async function noteTime({ store, clock }: JobParts): Promise<void> {
  const noted = await store.upkeep.noteTime(clock.now());
  if (!noted.ok) throw new StoreError("unavailable", `noting the time: ${noted.error}`);
}

async function erase(parts: JobParts, stopping: AbortSignal): Promise<void> {
  const { store, metrics } = parts;
  try {
    await eraseRemoved({ ...parts, upkeep: store.upkeep }, stopping);
  } finally {
    const { messages, octets } = await store.upkeep.removedUsage();
    metrics.gauge("mailkeep_removed_messages").set(messages);
    metrics.gauge("mailkeep_removed_octets").set(octets);
  }
}

async function reclaim({ store, clock, log, eraseDays }: JobParts, stopping: AbortSignal): Promise<void> {
  let segments = 0;
  let moved = 0;
  for (let more = true; more && !stopping.aborted;) {
    const pass = await store.upkeep.reclaim(clock.now() - eraseDays() * DAY_MS);
    segments += pass.segmentsRemoved;
    moved += pass.octetsMoved;
    more = pass.more;
  }
  if (segments + moved > 0) log.info("store.reclaimed", { segments, moved });
}

async function forget({ store, clock, historyDays }: JobParts, stopping: AbortSignal): Promise<void> {
  for (let more = true; more && !stopping.aborted;) {
    const now = clock.now();
    const slice = await store.upkeep.forget({ history: now - historyDays() * DAY_MS, places: now - KNOWN_MS });
    if (!slice.ok) throw new StoreError("unavailable", `forgetting: ${slice.error}`);
    more = slice.value.more;
  }
}

function stoppedWithin(milliseconds: number, stopping: AbortSignal): Promise<boolean> {
  if (stopping.aborted) return Promise.resolve(true);
  return new Promise((resolve) => {
    const aborted = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      stopping.removeEventListener("abort", aborted);
      resolve(false);
    }, milliseconds);
    stopping.addEventListener("abort", aborted, { once: true });
  });
}
