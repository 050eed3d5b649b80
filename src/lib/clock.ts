/** Time as the services see it, so that tests and the simulator can hold it. */
export type Clock = {
  /** Milliseconds since 1970 (UTC); may jump. */
  readonly now: () => number;
  /** Milliseconds that only grow, the same in all threads of the process; for durations and deadlines. */
  readonly monotonic: () => number;
};

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: Date.now,
  // Not performance.now(), which may begin anew in each worker: threads compare these times (store/leases.ts).
  monotonic: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
};
