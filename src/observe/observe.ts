import type { MessagePort } from "node:worker_threads";
import { systemClock } from "../lib/clock.ts";
import { consoleLine } from "./console-line.ts";
import { LogControl, createLogShared } from "./log-control.ts";
import type { Level, Log } from "./log-port.ts";
import { LogWriter } from "./log-writer.ts";
import { createLog } from "./log.ts";
import type { LoggedEvent } from "./logged-event.ts";
import { watchLoop } from "./loop-delay.ts";
import type { Metrics } from "./metrics-port.ts";
import { renderMetrics } from "./metrics-text.ts";
import { clearGauges, createMetricsShared, metricsFor } from "./metrics.ts";
import type { Output } from "./output.ts";
import { descriptorOutput } from "./output.ts";
import { readProcess } from "./process-metrics.ts";
import { ThreadLines } from "./thread-lines.ts";
import type { ObserveShared } from "./worker.ts";

export type ObserveOptions = {
  readonly level: Level;
  readonly format: "json" | "console";
  /** Threads that log and count: slot 0 is the main thread's. */
  readonly slots: number;
  /** Of the program, for mailkeep_build_info. */
  readonly version: string;
  /** Default: standard output. */
  readonly output?: Output;
};

type Listener = (event: LoggedEvent) => void;

/** The main thread's side: it writes what all threads log and adds up what all threads count. */
export type Observe = Disposable & {
  readonly log: Log;
  readonly metrics: Metrics;
  /** What the thread of this slot (1 or more) is given; ask anew for a thread that takes the slot of a dead one. */
  readonly shareWith: (slot: number) => { readonly value: ObserveShared; readonly transfer: MessagePort[] };
  /** Calls back with every event of every thread, until the returned function is called. */
  readonly subscribe: (listener: Listener) => () => void;
  /** All metrics in Prometheus' text format. */
  readonly render: () => string;
  /** Holds in every thread at once. */
  readonly setLevel: (level: Level) => void;
  /** Writes at once what threads have handed over and what still waits; the process's exit does so by itself. */
  readonly flush: () => void;
};

const MOST_WAITING_OCTETS = 8 * 1024 * 1024;

/** Opens the log and the metrics of this process; call it once, before any other part. */
export function createObserve(options: ObserveOptions): Observe {
  const metricsShared = createMetricsShared(options.slots);
  const metrics = metricsFor(metricsShared, 0);
  const logShared = createLogShared(options.level);
  const control = new LogControl(logShared);
  const output = options.output ?? descriptorOutput(1);
  const readers = new Set<Listener>();

  const droppedLines = metrics.counter("mailkeep_log_lines_dropped_total");
  const writer = new LogWriter(output, MOST_WAITING_OCTETS, (lines) => {
    droppedLines.add(lines);
    log.warn("log.dropped", { lines });
  });
  const accept = (text: string): void => acceptLines(text, { format: options.format, output, writer, readers });
  const log = createLog(control, metrics, systemClock, accept);
  const threads = new ThreadLines(control, accept);
  const flush = (): void => {
    threads.drain();
    writer.flush();
  };
  const stopWatching = watchLoop(metrics);
  process.once("exit", flush);

  return {
    log,
    metrics,
    shareWith: (slot) => {
      clearGauges(metricsShared, slot);
      const port = threads.open(slot);
      return { value: { slot, metrics: metricsShared, log: logShared, port }, transfer: [port] };
    },
    subscribe: (listener) => {
      readers.add(listener);
      return () => readers.delete(listener);
    },
    render: () => renderMetrics(metricsShared, readProcess(options.version)),
    setLevel: (level) => control.setLevel(level),
    flush,
    [Symbol.dispose]: () => {
      process.off("exit", flush);
      stopWatching();
      flush();
      threads.close();
      output.close();
    },
  };
}

type LinesParts = {
  readonly format: ObserveOptions["format"];
  readonly output: Output;
  readonly writer: LogWriter;
  readonly readers: ReadonlySet<Listener>;
};

/** Lines travel as JSON; only a console or a listener makes it worth reading them again. */
function acceptLines(text: string, { format, output, writer, readers }: LinesParts): void {
  const lines = text.split(/(?<=\n)/u);
  if (format === "json" && readers.size === 0) return writer.add(lines);
  const events = lines.map((line) => JSON.parse(line) as LoggedEvent);
  writer.add(format === "json" ? lines : events.map((event) => consoleLine(event, output.terminal)));
  for (const event of events) for (const reader of readers) reader(event);
}
