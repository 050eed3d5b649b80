import { LRUCache } from "lru-cache";
import type { AppPasswordId } from "../model/device.ts";
import type { Log } from "../observe/log-port.ts";
import type { AppPasswordUse, Devices } from "../store/ports.ts";

/** Notes when app passwords were used last; disposing writes what waits. */
export type AppPasswordUses = AsyncDisposable & {
  note(use: AppPasswordUse): void;
};

export type AppPasswordUsesOptions = {
  readonly devices: Pick<Devices, "noteUses">;
  readonly log: Log;
};

const WRITE_MS = 3_000;
const ONCE_IN_MS = 60_000;
const REMEMBERED = 10_000;

/**
 * Gathers uses and writes them in batches, so that a device that looks for mail every few seconds costs no write each time:
 * one a minute at most for each password. What cannot be written is left out; the next use is noted again.
 */
export function createAppPasswordUses({ devices, log }: AppPasswordUsesOptions): AppPasswordUses {
  const written = new LRUCache<AppPasswordId, number>({ max: REMEMBERED });
  let waiting = new Map<AppPasswordId, AppPasswordUse>();
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  async function write(): Promise<void> {
    timer = undefined;
    const uses = [...waiting.values()];
    waiting = new Map();
    if (uses.length === 0) return;
    const outcome = await devices.noteUses(uses).catch(() => ({ ok: false, error: "unavailable" }) as const);
    if (outcome.ok) return;
    for (const { id } of uses) written.delete(id);
    log.warn("uses.not_noted", { uses: uses.length, reason: outcome.error });
  }

  return {
    note(use) {
      if (use.at - (written.get(use.id) ?? -Infinity) < ONCE_IN_MS) return;
      written.set(use.id, use.at);
      waiting.set(use.id, use);
      timer ??= setTimeout(() => {
        writing = writing.then(write);
      }, WRITE_MS).unref();
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      writing = writing.then(write);
      await writing;
    },
  };
}
