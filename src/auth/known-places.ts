import { LRUCache } from "lru-cache";
import type { Clock } from "../lib/clock.ts";
import { splitAddress } from "../model/address.ts";
import type { AccountId } from "../model/ids.ts";
import type { Log } from "../observe/log-port.ts";
import type { Devices, KnownPlace } from "../store/ports.ts";
import { preparedBase } from "./name.ts";
import { KNOWN_MS, MOST_KNOWN, type Throttle } from "./throttle.ts";

/** Keeps where accounts' owners came from, so that a restart forgets no known device; disposing writes what waits. */
export type PlaceNotes = AsyncDisposable & {
  /** Notes a login; cheap, and written at most twice a day for each account and place. `at`: ms since 1970. */
  note(account: AccountId, place: string, at: number): void;
};

export type PlaceNotesOptions = {
  readonly devices: Pick<Devices, "noteKnownPlaces">;
  readonly log: Log;
  /** How long notes are gathered; given by tests only. */
  readonly gatherMs?: number;
};

const GATHER_MS = 5000;
// Known is who came within 30 days: half a day late makes no difference, and saves a write for each login.
const NOTE_AGAIN_MS = 12 * 60 * 60 * 1000;
const REMEMBERED = 32_768;
/** Notes that wait, above which new ones are dropped: the owner comes again, and is noted then. */
const WAITING = 8192;

/** Makes notes that are written in batches, every few seconds. */
export function createPlaceNotes({ devices, log, gatherMs = GATHER_MS }: PlaceNotesOptions): PlaceNotes {
  const noted = new LRUCache<string, number>({ max: REMEMBERED });
  let waiting = new Map<string, KnownPlace>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    const batch = waiting;
    if (batch.size === 0) return;
    waiting = new Map();
    const reason = await reasonNotTo(devices.noteKnownPlaces([...batch.values()]));
    if (reason === undefined) return;
    log.warn("places.not_noted", { places: batch.size, reason });
    // Whoever comes again is noted again.
    for (const key of batch.keys()) noted.delete(key);
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  }

  return {
    note(account, place, at) {
      const key = `${account} ${place}`;
      const before = noted.get(key);
      if ((before !== undefined && at - before < NOTE_AGAIN_MS) || waiting.size >= WAITING) return;
      noted.set(key, at);
      waiting.set(key, { account, place, last: at });
      timer ??= setTimeout(() => void flush(), gatherMs).unref();
    },
    [Symbol.asyncDispose]: flush,
  };
}

/** Why a write did not happen; undefined: it did. */
async function reasonNotTo(written: ReturnType<Devices["noteKnownPlaces"]>): Promise<string | undefined> {
  try {
    const outcome = await written;
    return outcome.ok ? undefined : outcome.error;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** Tells a fresh throttle which devices were known before the start; gives how many. Without them it starts all the same. */
export async function seedKnownPlaces(
  throttle: Pick<Throttle, "seed">,
  devices: Pick<Devices, "knownPlaces">,
  clock: Clock,
): Promise<number> {
  const now = clock.now();
  const places = await devices.knownPlaces({ since: now - KNOWN_MS, limit: MOST_KNOWN });
  // The newest comes last, to be forgotten last. The clock may have been set back meanwhile: nobody comes from the future.
  for (const { address, place, last } of places.toReversed()) {
    throttle.seed(preparedBase(splitAddress(address)), place, Math.max(0, now - last), clock.monotonic());
  }
  return places.length;
}
