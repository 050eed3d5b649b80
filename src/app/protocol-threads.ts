import { Worker } from "node:worker_threads";
import type { Config } from "../config/schema.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import type { CertificateMaterial } from "../tls/context.ts";
import type { FromThread, ThreadSetup, ToThread } from "./thread-messages.ts";

/** What a thread is started with that only the main thread can make: a port of its own to the store and to the log. */
export type ThreadParts = {
  readonly count: number;
  /** Called for each start, also of a thread that takes the place of a dead one. */
  readonly setup: (number: number) => { readonly data: ThreadSetup; readonly transfer: NonNullable<WorkerTransfer> };
  readonly log: Log;
  readonly metrics: Metrics;
  /** What a thread runs; given by tests only. */
  readonly script?: URL;
};

type WorkerTransfer = ConstructorParameters<typeof Worker>[1] extends infer O
  ? O extends { transferList?: infer T }
    ? T
    : never
  : never;

type Thread = {
  readonly worker: Worker;
  readonly bound: Promise<Result<void, string>>;
  readonly ended: Promise<void>;
  sessionsCut: number;
};

const SCRIPT = new URL("./protocol-thread.ts", import.meta.url);

// What a session leaves behind dies young, so that a larger nursery only holds more of it: 20 MiB a thread under load.
const YOUNG_MIB = 16;
// A thread that dies again and again must not eat the machine; a first death is made good at once.
const LONGEST_PAUSE_MS = 10_000;

/** The protocol threads: started together, started again when they die, told together of what changes. */
export class ProtocolThreads {
  readonly #parts: ThreadParts;
  readonly #threads = new Map<number, Thread>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #deaths = new Map<number, { count: number; at: number }>();
  #stopping = false;

  constructor(parts: ThreadParts) {
    this.#parts = parts;
  }

  /** Starts all of them and waits until each listens; the error is the first one's sentence. */
  async start(): Promise<Result<void, string>> {
    const numbers = Array.from({ length: this.#parts.count }, (_, index) => index + 1);
    const outcomes = await Promise.all(numbers.map((number) => this.#start(number).bound));
    return outcomes.find((outcome) => !outcome.ok) ?? ok(undefined);
  }

  reload(config: Config): void {
    this.#tell({ kind: "config", config });
  }

  useCertificate(certificate: CertificateMaterial): void {
    this.#tell({ kind: "certificate", certificate });
  }

  /** Lets sessions finish within so many seconds; gives how many were cut. */
  async stop(seconds: number): Promise<number> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#tell({ kind: "stop", seconds });
    const threads = [...this.#threads.values()];
    await Promise.all(threads.map((thread) => thread.ended));
    return threads.reduce((sum, thread) => sum + thread.sessionsCut, 0);
  }

  #tell(message: ToThread): void {
    for (const { worker } of this.#threads.values()) worker.postMessage(message);
  }

  #start(number: number): Thread {
    const { data, transfer } = this.#parts.setup(number);
    const worker = new Worker(this.#parts.script ?? SCRIPT, {
      workerData: data,
      transferList: transfer,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
      name: `protocol-${number}`,
    });
    const bound = Promise.withResolvers<Result<void, string>>();
    const ended = Promise.withResolvers<void>();
    const thread: Thread = { worker, bound: bound.promise, ended: ended.promise, sessionsCut: 0 };
    let reason = "it ended by itself";
    worker.on("message", (message: FromThread) => {
      if (message.kind === "bound") bound.resolve(ok(undefined));
      else if (message.kind === "failed") bound.resolve(err(message.reason));
      else thread.sessionsCut = message.sessionsCut;
    });
    worker.on("error", (error) => {
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on("exit", () => {
      bound.resolve(err(`protocol thread ${number} did not start: ${reason}`));
      this.#threads.delete(number);
      ended.resolve();
      if (!this.#stopping) this.#died(number, reason);
    });
    this.#threads.set(number, thread);
    return thread;
  }

  #died(number: number, reason: string): void {
    const { log, metrics } = this.#parts;
    const now = performance.now();
    const before = this.#deaths.get(number);
    const count = before !== undefined && now - before.at < 60_000 ? before.count + 1 : 0;
    this.#deaths.set(number, { count, at: now });
    log.error("thread.died", { thread: `protocol-${number}`, reason });
    metrics.counter("mailkeep_thread_restarts_total").add();
    const pause = count === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, 100 * 2 ** count);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#startAgain(number);
    }, pause);
    this.#timers.add(timer);
  }

  async #startAgain(number: number): Promise<void> {
    const outcome = await this.#start(number).bound;
    const { log } = this.#parts;
    if (outcome.ok) log.info("thread.restarted", { thread: `protocol-${number}` });
  }
}
