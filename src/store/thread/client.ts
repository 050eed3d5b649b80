import type { Clock } from "../../lib/clock.ts";
import type { OpenStore } from "../open.ts";
import type { StoreConnection } from "./connection.ts";

/**
 * A store for this thread: writes go to the store thread, reads by a connection of this thread's own. `onLost`: the
 * store thread is gone; every pending promise has been rejected and the process must end.
 */
export function createStoreClient(options: {
  readonly connection: StoreConnection;
  readonly onLost: (reason: string) => void;
  readonly clock?: Clock;
}): OpenStore {
  throw new Error(`to be written: ${options.connection.folder}`);
}
