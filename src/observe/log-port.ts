import type { EventFields, EventName } from "./events.ts";

export type Level = "debug" | "info" | "warn" | "error";

type Write = <N extends EventName>(name: N, fields: EventFields<N>) => void;

/** Where every room says what happened: a typed name with fields (STYLE §9). */
export type Log = {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
};
