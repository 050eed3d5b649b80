import type { Result } from "../lib/result.ts";
import type { Transfer } from "../model/history.ts";
import type { Log } from "../observe/log-port.ts";
import type { Counter, Metrics } from "../observe/metrics-port.ts";
import type { History, WriteFailure } from "../store/ports.ts";

/** Where a thread's transfers gather until they are written; disposing writes what waits. */
export type TransferNotes = AsyncDisposable & {
  /** Notes one transfer; costs no write. */
  add(transfer: Transfer): void;
};

const TURN_MS = 1000;
/** So many go in one write, so that the store has other turns between. */
const MOST_AT_ONCE = 2000;
/** So many may wait while the store takes none; then the oldest go. */
const MOST_WAITING = 10_000;

/**
 * Gathers transfers and writes them once a second, sooner where many wait; what a failed write did not take is tried again.
 * A crash loses the last second of history, never mail.
 */
export function gatherTransfers(parts: {
  readonly history: Pick<History, "note">;
  readonly log: Log;
  readonly metrics: Metrics;
}): TransferNotes {
  return new Gathering(parts.history, parts.log, parts.metrics.counter("mailkeep_history_dropped_total"));
}

class Gathering implements TransferNotes {
  readonly #history: Pick<History, "note">;
  readonly #log: Log;
  readonly #dropped: Counter;
  #waiting: Transfer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  // Whether the log has heard that writes fail.
  #told = false;

  constructor(history: Pick<History, "note">, log: Log, dropped: Counter) {
    this.#history = history;
    this.#log = log;
    this.#dropped = dropped;
  }

  add(transfer: Transfer): void {
    this.#waiting.push(transfer);
    // Twice as many, so that it is not each one that moves all the others.
    if (this.#waiting.length >= MOST_WAITING * 2) this.#dropOldest();
    // While writes fail, many waiting are no reason to hurry.
    if (this.#waiting.length >= MOST_AT_ONCE && this.#writing === undefined && !this.#told) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), TURN_MS).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    this.#write();
    await this.#writing;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dropped.add(this.#waiting.length);
    this.#waiting = [];
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#waiting.length === 0) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#write(), TURN_MS).unref();
    });
  }

  async #writeAll(): Promise<void> {
    this.#dropOldest();
    for (let left = this.#waiting.length; left > 0; left -= MOST_AT_ONCE) {
      const batch = this.#waiting.splice(0, MOST_AT_ONCE);
      const failure = await reasonOf(this.#history.note(batch));
      if (failure === undefined) {
        this.#told = false;
        continue;
      }
      this.#waiting.unshift(...batch);
      if (!this.#told) this.#log.warn("history.unwritten", { reason: failure, transfers: this.#waiting.length });
      this.#told = true;
      return;
    }
  }

  #dropOldest(): void {
    const many = this.#waiting.length - MOST_WAITING;
    if (many <= 0) return;
    this.#waiting.splice(0, many);
    this.#dropped.add(many);
  }
}

async function reasonOf(note: Promise<Result<void, WriteFailure>>): Promise<string | undefined> {
  try {
    const noted = await note;
    return noted.ok ? undefined : noted.error;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}
