/** Waits so many ms, or until the server stops. */
export type Pause = (ms: number) => Promise<void>;

const SECOND = 1000;

/**
 * How long a refused login is still held (promise P10): until the first full second, counted from when the credentials
 * came, after its check ended. Counted from there and not by the clock's seconds, so that a guesser cannot choose the
 * moment at which a few milliseconds more or less of checking would show.
 */
export function pauseAfter(checkedForMs: number): number {
  return Math.ceil((Math.floor(checkedForMs / SECOND) + 1) * SECOND - checkedForMs);
}

/** Makes pauses that all end when the server stops. */
export function createPause(stopping: AbortSignal): Pause {
  const ends = new Set<() => void>();
  stopping.addEventListener("abort", () => {
    for (const end of ends) end();
  });
  return (ms) => {
    if (stopping.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      ends.add(end);
    });
  };
}
