import { err, ok, type Result } from "./result.ts";

/** "full": no room to wait; "late": it waited as long as it may. The task was not begun. */
export type NotRun = "full" | "late";

/** Runs a few tasks at a time. The others wait in turn by key, so that one key's flood delays only itself. */
export type Limiter = {
  readonly running: number;
  readonly waiting: number;
  /** Begins the task now or when its turn comes. A task that fails rejects, as it would by itself. */
  run<T>(key: string, task: () => Promise<T>): Promise<Result<T, NotRun>>;
};

export type LimiterOptions = {
  /** Tasks at a time. */
  readonly concurrency: number;
  /** Tasks that may wait, of all keys. */
  readonly queue: number;
  readonly waitMs: number;
  /** Told of each task that begins (+1) and ends (−1) to wait. */
  readonly waitingChanged?: (delta: 1 | -1) => void;
};

type Waiter = { readonly key: string; readonly timer: NodeJS.Timeout; readonly go: (why: "turn" | NotRun) => void };

/** Makes a limiter with nothing in it. */
export function createLimiter(options: LimiterOptions): Limiter {
  const queues = new FairQueues();
  let running = 0;

  async function occupy<T>(task: () => Promise<T>): Promise<Result<T, never>> {
    try {
      return ok(await task());
    } finally {
      // The place goes straight to the next in turn, so that nobody slips in between.
      const next = queues.next();
      if (next) next.go("turn");
      else running -= 1;
    }
  }

  function wait(key: string): Promise<"turn" | NotRun> {
    if (queues.waiting >= options.queue) {
      const displaced = queues.displaceFor(key);
      if (!displaced) return Promise.resolve("full");
      displaced.go("full");
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        queues.remove(waiter);
        waiter.go("late");
      }, options.waitMs);
      const waiter: Waiter = {
        key,
        timer,
        go: (why) => {
          clearTimeout(timer);
          options.waitingChanged?.(-1);
          resolve(why);
        },
      };
      queues.add(waiter);
      options.waitingChanged?.(1);
    });
  }

  return {
    get running() {
      return running;
    },
    get waiting() {
      return queues.waiting;
    },
    async run(key, task) {
      if (running < options.concurrency) {
        running += 1;
        return occupy(task);
      }
      const why = await wait(key);
      return why === "turn" ? occupy(task) : err(why);
    },
  };
}

/** One queue a key; turns go round the keys. A key is there only while it has waiters. */
class FairQueues {
  readonly #byKey = new Map<string, Waiter[]>();
  waiting = 0;

  add(waiter: Waiter): void {
    const queue = this.#byKey.get(waiter.key);
    if (queue) queue.push(waiter);
    else this.#byKey.set(waiter.key, [waiter]);
    this.waiting += 1;
  }

  next(): Waiter | undefined {
    for (const [key, queue] of this.#byKey) {
      const waiter = queue.shift();
      // A Map keeps the order of insertion: what is set again goes to the end of the round.
      this.#byKey.delete(key);
      if (queue.length > 0) this.#byKey.set(key, queue);
      this.waiting -= 1;
      return waiter;
    }
    return undefined;
  }

  remove(waiter: Waiter): void {
    const queue = this.#byKey.get(waiter.key);
    const at = queue?.indexOf(waiter) ?? -1;
    if (!queue || at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#byKey.delete(waiter.key);
    this.waiting -= 1;
  }

  /** Takes out the last of the longest queue where that key has more waiters than the newcomer's would. */
  displaceFor(key: string): Waiter | undefined {
    let longest: Waiter[] | undefined;
    for (const queue of this.#byKey.values()) if (queue.length > (longest?.length ?? 0)) longest = queue;
    const own = this.#byKey.get(key)?.length ?? 0;
    const last = longest && longest.length > own + 1 ? longest.at(-1) : undefined;
    if (last) this.remove(last);
    return last;
  }
}
