import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { until } from "../../e2e/harness/wait.ts";

/** Where the others are watched, and as whom. */
export type Watch = {
  readonly pop3: number;
  readonly lmtp: number;
  readonly users: readonly { readonly address: string; readonly password: string }[];
};

/** One answer that one of the others waited for. */
export type Sample = {
  readonly what: "connect" | "login" | "STAT" | "RETR" | "DELE" | "QUIT" | "delivery";
  /** Milliseconds since 1970. */
  readonly begin: number;
  readonly ms: number;
};

/** How long the others waited for an answer while something went on. */
export type Waits = { readonly answers: number; readonly medianMs: number; readonly worst: Sample };

const NOTHING: Sample = { what: "connect", begin: 0, ms: 0 };

/** The other users of the server: they fetch and delete, and mail comes for them, all the time until disposed. */
export class Others implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;
  #samples: Sample[] = [];
  #failure: Error | undefined;

  constructor(watch: Watch) {
    this.#worker = new Worker(new URL("./prober.ts", import.meta.url), { workerData: watch });
    this.#worker.on("message", (samples: readonly Sample[]) => this.#samples.push(...samples));
    this.#worker.on("error", (cause) => (this.#failure = new Error("the others were not served", { cause })));
    this.#ended = once(this.#worker, "exit");
    // Its failure is told by the next look.
    this.#ended.catch(() => undefined);
  }

  /** Does something, and tells how long answers to the others took that were waited for meanwhile. */
  async during<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly waits: Waits }> {
    this.#samples = [];
    const begin = now();
    const result = await work();
    const end = now();
    // Who began to wait within that time may still be waiting.
    await until("answers to the others after it", 60, () => {
      if (this.#failure !== undefined) throw this.#failure;
      return ["login", "delivery"].every((what) => this.#samples.some((s) => s.what === what && s.begin > end));
    });
    const within = this.#samples.filter((sample) => sample.begin <= end && sample.begin + sample.ms >= begin);
    const sorted = within.toSorted((one, other) => one.ms - other.ms);
    const [median, worst] = [sorted[sorted.length >> 1]?.ms ?? 0, sorted.at(-1) ?? NOTHING];
    return { result, waits: { answers: within.length, medianMs: median, worst } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.postMessage("stop");
    await this.#ended.catch(() => undefined);
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
