import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import { systemClock } from "../../lib/clock.ts";
import { systemDisk } from "../disk.ts";
import { layoutOf } from "../layout.ts";
import { compileStatement } from "../sql/compile.ts";
import { openForReading } from "../sql/sqlite.ts";
import type { FromScrub, ScrubData, ToScrub } from "./messages.ts";
import { scrubMaildrops, scrubStore } from "./scrub.ts";
import type { ScrubParts } from "./walk.ts";

// The entry of a scrub's thread: reads by a connection and descriptors of its own, and has all that changes done by the writer.
assert(parentPort !== null, "this is a worker's entry");
await run(parentPort, workerData as ScrubData);

async function run(port: MessagePort, { folder, request, from }: ScrubData): Promise<void> {
  const stopping = new AbortController();
  const waiting = new Map<number, (done: boolean) => void>();
  const say = (message: FromScrub): void => port.postMessage(message);
  port.on("message", (message: ToScrub) => {
    if ("stop" in message) return stopping.abort();
    waiting.get(message.answer)?.(message.done);
    waiting.delete(message.answer);
  });
  let asked = 0;
  const ask = (message: Omit<Extract<FromScrub, { ask: number }>, "ask">): Promise<boolean> =>
    new Promise((resolve) => {
      asked += 1;
      waiting.set(asked, resolve);
      say({ ...message, ask: asked });
    });
  const layout = layoutOf(folder);
  using sql = openForReading(layout.database, compileStatement);
  const parts: ScrubParts = {
    sql,
    disk: systemDisk,
    layout,
    now: systemClock.now,
    monotonic: systemClock.monotonic,
    request,
    signal: stopping.signal,
    mend: (mend) => ask({ mend }),
    note: async (note) => void (await ask({ note })),
    tell: (finding) => say({ finding }),
    progress: (progress) => say({ progress }),
  };
  try {
    say({ done: await (request.mailboxes === undefined ? scrubStore : scrubMaildrops)(parts, from) });
  } catch (cause) {
    if (!stopping.signal.aborted) throw cause;
    say({ stopped: true });
  }
  port.close();
}
