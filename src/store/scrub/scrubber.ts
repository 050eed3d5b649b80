import { Worker } from "node:worker_threads";
import type { Clock } from "../../lib/clock.ts";
import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { Log } from "../../observe/log-port.ts";
import type { Metrics } from "../../observe/metrics-port.ts";
import { StoreError } from "../ports.ts";
import type { FromScrub, ScrubData, ToScrub } from "./messages.ts";
import type { Scrubbing } from "./ports.ts";
import type { Finding, ScrubRequest, ScrubState } from "./report.ts";
import { newScrub } from "./report.ts";

/** Who is told how far a scrub is, and stops it. */
export type ScrubListener = {
  readonly progress: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal: AbortSignal;
};

/** What a scrub came to; `stopped`: it was told to stop, and goes on from there the next time. */
export type Scrubbed = { readonly state: ScrubState; readonly resumed: boolean };

/** Runs scrubs, one at a time, each in a thread of its own beside all other work. */
export type Scrubber = {
  /** All of the store; one that was interrupted goes on, unless `restart`. */
  store(
    request: Omit<ScrubRequest, "mailboxes"> & { readonly restart: boolean },
    listener: ScrubListener,
  ): Promise<Result<Scrubbed, "busy" | "stopped">>;
  /** Some mailboxes. */
  maildrops(
    request: Omit<ScrubRequest, "repair"> & { readonly mailboxes: readonly number[] },
    listener: ScrubListener,
  ): Promise<Result<Scrubbed, "busy" | "stopped">>;
  /** When the last scrub of the whole store ended, and how; undefined: there was none. */
  last(): Promise<ScrubState | undefined>;
};

type Parts = {
  readonly folder: string;
  readonly scrub: Scrubbing;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
};

/** Makes the scrubber of a store that this process has open. */
export function createScrubber(parts: Parts): Scrubber {
  const { clock, log } = parts;
  let busy = false;
  const alone = async (from: ScrubState, request: ScrubRequest, listener: ScrubListener, resumed: boolean) => {
    const state = await runThread(parts, { folder: parts.folder, request, from }, listener);
    if (state === undefined) return err("stopped");
    const { messages, bodies, octets, found, mended } = state;
    log.info("scrub.done", { messages, bodies, octets, found, mended, seconds: secondsOf(state) });
    if (request.mailboxes === undefined) gauges(parts, state);
    return ok({ state, resumed });
  };
  const guarded = async <T>(
    work: () => Promise<Result<T, "busy" | "stopped">>,
  ): Promise<Result<T, "busy" | "stopped">> => {
    if (busy) return err("busy");
    busy = true;
    try {
      return await work();
    } finally {
      busy = false;
    }
  };
  return {
    store: ({ restart, ...request }, listener) =>
      guarded(async () => {
        const { current } = restart ? {} : await known(parts);
        return alone(current ?? newScrub(clock.now()), request, listener, current !== undefined);
      }),
    maildrops: (request, listener) =>
      guarded(() => alone(newScrub(clock.now()), { ...request, repair: false }, listener, false)),
    last: async () => {
      const { last } = await known(parts);
      if (last !== undefined) gauges(parts, last);
      return last;
    },
  };
}

/** What is known of scrubs; nothing where just that is damaged. */
async function known({ scrub, log }: Parts): ReturnType<Scrubbing["scrubs"]> {
  try {
    return await scrub.scrubs();
  } catch (cause) {
    if (!(cause instanceof StoreError && cause.kind === "damaged")) throw cause;
    log.error("job.failed", { job: "scrub", reason: cause.message });
    return {};
  }
}

function secondsOf({ started, at }: ScrubState): number {
  return Math.round((at - started) / 1000);
}

function gauges({ metrics }: Parts, { at, found, mended }: ScrubState): void {
  metrics.gauge("mailkeep_scrub_ended_seconds").set(Math.round(at / 1000));
  metrics.gauge("mailkeep_scrub_findings").set(found - mended);
}

/** Runs a scrub's thread to its end; undefined: it was told to stop. */
async function runThread(parts: Parts, data: ScrubData, listener: ScrubListener): Promise<ScrubState | undefined> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { name: "scrub", workerData: data });
  const send = (message: ToScrub): void => worker.postMessage(message);
  const stop = (): void => send({ stop: true });
  listener.signal.addEventListener("abort", stop, { once: true });
  if (listener.signal.aborted) stop();
  try {
    return await new Promise<ScrubState | undefined>((resolve, reject) => {
      worker.once("error", (cause) => reject(new Error("the scrub's thread died", { cause })));
      worker.once("exit", () => reject(new Error("the scrub's thread ended without an answer")));
      worker.on("message", (message: FromScrub) => {
        if ("ask" in message) void answer(parts, message, send).catch(reject);
        else if ("finding" in message) tell(parts, message.finding);
        else if ("progress" in message) listener.progress(message.progress);
        else if ("done" in message) resolve(message.done);
        else resolve(undefined);
      });
    });
  } finally {
    listener.signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}

async function answer(
  { scrub }: Parts,
  { ask, mend, note }: Extract<FromScrub, { ask: number }>,
  send: (message: ToScrub) => void,
): Promise<void> {
  if (note !== undefined) await scrub.noteScrub(note);
  // What could not be written is not mended; where the place was not noted, more is read again.
  const mended = mend !== undefined && (await scrub.mend(mend));
  send({ answer: ask, done: mended !== false && mended.ok && mended.value });
}

function tell({ log, metrics }: Parts, { kind, address = "", uidl = "", detail, mended }: Finding): void {
  metrics.counter("mailkeep_scrub_found_total").add();
  log.error("scrub.found", { kind, account: address, uidl, reason: detail, mended });
}
