import type { MessagePort } from "node:worker_threads";
import type { Clock } from "../lib/clock.ts";
import { systemClock } from "../lib/clock.ts";
import { LineBatch } from "./line-batch.ts";
import type { LogShared } from "./log-control.ts";
import { LogControl } from "./log-control.ts";
import type { Log } from "./log-port.ts";
import { createLog } from "./log.ts";
import { watchLoop } from "./loop-delay.ts";
import type { Metrics } from "./metrics-port.ts";
import type { MetricsShared } from "./metrics.ts";
import { metricsFor } from "./metrics.ts";

/** What the main thread gives a worker (as workerData or by a message), with `port` in the transfer list. */
export type ObserveShared = {
  readonly slot: number;
  readonly metrics: MetricsShared;
  readonly log: LogShared;
  readonly port: MessagePort;
};

/** A worker's own log and metrics. Disposing hands over the last lines; so does the thread's exit. */
export function workerObserve(
  shared: ObserveShared,
  clock: Clock = systemClock,
): Disposable & { readonly log: Log; readonly metrics: Metrics } {
  const metrics = metricsFor(shared.metrics, shared.slot);
  const control = new LogControl(shared.log);
  const batch = new LineBatch(shared.port, control, metrics.counter("mailkeep_log_lines_dropped_total"));
  const flush = (): void => batch.flush();
  const stopWatching = watchLoop(metrics);
  process.once("exit", flush);
  return {
    log: createLog(control, metrics, clock, (line, level) => batch.add(line, level)),
    metrics,
    [Symbol.dispose]: () => {
      process.off("exit", flush);
      stopWatching();
      flush();
      shared.port.close();
    },
  };
}
