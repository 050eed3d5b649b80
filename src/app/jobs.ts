import type { Clock } from "../lib/clock.ts";
import type { Health } from "../observe/health.ts";
import type { Log } from "../observe/log-port.ts";
import type { Upkeep } from "../store/ports.ts";

export type JobParts = {
  readonly upkeep: Upkeep;
  readonly health: Health;
  readonly eraseDays: () => number;
  readonly clock: Clock;
  readonly log: Log;
};

const DAY_MS = 86_400_000;

/** Runs what keeps the store small and says how it is, until disposed; a job that fails is tried at its next turn. */
export function startJobs(parts: JobParts): AsyncDisposable {
  const { upkeep, health, eraseDays, clock, log } = parts;
  const stopping = new AbortController();
  const reclaim = every(60_000, stopping.signal, log, "reclaim", async () => {
    let segments = 0;
    let moved = 0;
    let more = true;
    while (more && !stopping.signal.aborted) {
      const pass = await upkeep.reclaim(clock.now() - eraseDays() * DAY_MS);
      segments += pass.segmentsRemoved;
      moved += pass.octetsMoved;
      more = pass.more;
    }
    if (segments + moved > 0) log.info("store.reclaimed", { segments, moved });
  });
  const state = every(5000, stopping.signal, log, "health", async () => {
    const now = await upkeep.state();
    if (now === "ok") health.say("store", "ready");
    else health.say("store", "failed", now === "full" ? "no room on the disk" : "a write or a sync failed");
  });
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await Promise.all([reclaim, state]);
    },
  };
}

/** One job: its turns follow one another and never overlap. Resolves when it was told to stop and its turn has ended. */
async function every(
  milliseconds: number,
  stopping: AbortSignal,
  log: Log,
  job: string,
  turn: () => Promise<void>,
): Promise<void> {
  while (!(await stoppedWithin(milliseconds, stopping))) {
    try {
      await turn();
    } catch (cause) {
      log.error("job.failed", { job, reason: cause instanceof Error ? cause.message : String(cause) });
    }
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
