import type { Observe } from "../observe/observe.ts";

// Commits that wait, a checkpoint, the sockets.
/** Seconds that closing may take once the sessions are gone. */
export const CLOSING_SECONDS = 10;

/**
 * Ends the process when an orderly stop takes longer than this: a disk that no longer answers must not hold it. What was
 * acknowledged is on the disk; all else may be cut.
 */
export function endInTime(observe: Observe, seconds: number): void {
  const late = (): void => {
    observe.log.error("server.failed", { reason: `it could not close in order within ${seconds} s` });
    observe.flush();
    process.exit(1);
  };
  setTimeout(late, seconds * 1000).unref();
}

/** A mistake of ours ends the process, as it must; the log says why before it does. */
export function onCrash(observe: Observe): Disposable {
  const crashed = (error: Error): void => {
    observe.log.error("server.failed", { reason: error.stack ?? error.message });
    observe.flush();
  };
  process.on("uncaughtExceptionMonitor", crashed);
  return { [Symbol.dispose]: () => process.off("uncaughtExceptionMonitor", crashed) };
}

/** Nothing can be acknowledged without the store thread: the process ends, and a restart opens what is on disk. */
export function die(observe: Observe, death: Error): void {
  observe.log.error("server.failed", { reason: `the store thread died: ${death.message}` });
  observe.flush();
  process.exit(1);
}
