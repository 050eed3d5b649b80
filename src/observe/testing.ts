import type { EventName } from "./events.ts";
import type { Level, Log } from "./log-port.ts";
import { createMetricsShared, metricsFor } from "./metrics.ts";
import { renderMetrics } from "./metrics-text.ts";
import type { Metrics } from "./metrics-port.ts";

/** A log that says nothing, for tests that do not look at it. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

export type Recorded = {
  readonly level: Level;
  readonly event: EventName;
  readonly fields: unknown;
};

/** A log that keeps its events for a test to look at. */
export function recordingLog(): { readonly log: Log; readonly events: readonly Recorded[] } {
  const events: Recorded[] = [];
  const recorder = (level: Level): Log["info"] => {
    return (event, fields) => void events.push({ level, event, fields });
  };
  return {
    events,
    log: { debug: recorder("debug"), info: recorder("info"), warn: recorder("warn"), error: recorder("error") },
  };
}

/** Metrics of their own for a test; `sample` reads one by its line in the text format, without its value. */
export function testMetrics(): { readonly metrics: Metrics; readonly sample: (name: string) => number | undefined } {
  const shared = createMetricsShared(1);
  return {
    metrics: metricsFor(shared, 0),
    sample: (name) => {
      const line = renderMetrics(shared)
        .split("\n")
        .find((each) => each.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length));
    },
  };
}

function ignore(): void {
  // Nothing is kept.
}
