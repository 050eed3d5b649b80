/** What the operator asks of a running server. */
export type Wishes = {
  /** Stop: let sessions finish. `signal` says what asked for it. */
  readonly stop: (signal: string) => void;
  /** A second wish to stop: end now. */
  readonly endNow: () => void;
  /** Read the configuration again. */
  readonly reload: () => void;
};

// Ctrl+C reaches every process of a terminal's group, and npm and the launcher may pass it on: the same wish twice.
const SAME_WISH_MS = 300;

/** Listens for SIGTERM, SIGINT and SIGHUP until disposed. */
export function onSignals(
  wishes: Wishes,
  monotonic: () => number = () => performance.now(),
): Disposable & { readonly stop: (signal: string) => void } {
  let since: number | undefined;
  const stop = (signal: string): void => {
    const now = monotonic();
    if (since === undefined) {
      since = now;
      wishes.stop(signal);
    } else if (now - since > SAME_WISH_MS) wishes.endNow();
  };
  const terminate = (): void => stop("SIGTERM");
  const interrupt = (): void => stop("SIGINT");
  process.on("SIGTERM", terminate);
  process.on("SIGINT", interrupt);
  process.on("SIGHUP", wishes.reload);
  return {
    stop,
    [Symbol.dispose]: () => {
      process.off("SIGTERM", terminate);
      process.off("SIGINT", interrupt);
      process.off("SIGHUP", wishes.reload);
    },
  };
}
