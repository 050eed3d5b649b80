import type { Clock } from "../lib/clock.ts";
import type { AccountId } from "../model/ids.ts";
import type { Log } from "../observe/log-port.ts";
import type { Devices } from "../store/ports.ts";
import type { Throttle } from "./throttle.ts";

/** Keeps where accounts' owners came from, so that a restart forgets no known device; disposing writes what waits. */
export type PlaceNotes = AsyncDisposable & {
  /** `at`: ms since 1970. */
  note(account: AccountId, place: string, at: number): void;
};

export type PlaceNotesOptions = {
  readonly devices: Pick<Devices, "noteKnownPlaces">;
  readonly clock: Clock;
  readonly log: Log;
};

/** Makes notes that are written in batches, every few seconds. */
export function createPlaceNotes(_options: PlaceNotesOptions): PlaceNotes {
  return { note: () => {}, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Tells a fresh throttle which devices were known before the start; gives how many. */
export async function seedKnownPlaces(
  _throttle: Pick<Throttle, "seed">,
  _devices: Pick<Devices, "knownPlaces">,
  _clock: Clock,
): Promise<number> {
  return Promise.resolve(0);
}
