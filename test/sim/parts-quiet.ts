import type { Log } from "../../src/observe/log-port.ts";
import type { Metrics } from "../../src/observe/metrics-port.ts";

const nothing = { add: () => undefined, set: () => undefined, observe: () => undefined };

/** Metrics that nobody looks at. */
export const quietMetrics: Metrics = { counter: () => nothing, gauge: () => nothing, histogram: () => nothing };

/** A log that tells each event as one line. */
export function toldLog(tell: (event: string, fields: unknown) => void): Log {
  return { debug: tell, info: tell, warn: tell, error: tell };
}
