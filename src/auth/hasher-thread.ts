import { Worker } from "node:worker_threads";
import type { HashQuestion } from "./hasher-worker.ts";

export type HasherThread = AsyncDisposable & {
  /** Checks one password; one at a time. Rejects when the thread died or took too long: it is then ended. */
  verify(stored: string, password: Uint8Array): Promise<boolean>;
  readonly running: boolean;
};

export type HasherThreadOptions = {
  /** How long one check may take before its thread is ended. */
  readonly deadlineMs: number;
  /** How long a thread with nothing to do is kept. */
  readonly idleMs: number;
};

/** A thread for checks that would hold up a protocol's loop: started when first needed, ended when idle. */
export function createHasherThread(options: HasherThreadOptions): HasherThread {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;

  async function end(): Promise<void> {
    clearTimeout(idle);
    const ending = worker;
    worker = undefined;
    await ending?.terminate();
  }

  function start(): Worker {
    const started = new Worker(new URL("./hasher-worker.ts", import.meta.url), { name: "hasher" });
    // It holds the process open only while it has something to do.
    started.unref();
    return started;
  }

  return {
    get running() {
      return worker !== undefined;
    },
    async verify(stored, password) {
      clearTimeout(idle);
      worker ??= start();
      try {
        const right = await ask(worker, { stored, password }, options.deadlineMs);
        idle = setTimeout(() => void end(), options.idleMs).unref();
        return right;
      } catch (cause) {
        await end();
        throw new Error("the hashing thread did not answer", { cause });
      }
    },
    [Symbol.asyncDispose]: end,
  };
}

function ask(worker: Worker, question: HashQuestion, deadlineMs: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const exited = (code: number): void => reject(new Error(`it exited with ${code}`));
  const timer = setTimeout(() => reject(new Error(`it took more than ${deadlineMs} ms`)), deadlineMs);
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", exited);
  worker.ref();
  worker.postMessage(question);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.off("message", resolve);
    worker.off("error", reject);
    worker.off("exit", exited);
    worker.unref();
  });
}
