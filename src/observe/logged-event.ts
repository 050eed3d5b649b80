import type { EventName } from "./events.ts";
import type { Level } from "./log-port.ts";

/** An event as it was written: its line, read again. */
export type LoggedEvent = {
  readonly time: string;
  readonly seq: number;
  readonly level: Level;
  readonly event: EventName;
  readonly [field: string]: unknown;
};
