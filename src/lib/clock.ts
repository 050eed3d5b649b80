/** Time as the services see it, so that tests and the simulator can hold it. */
export type Clock = {
  /** Milliseconds since 1970 (UTC); may jump. */
  readonly now: () => number;
  /** Milliseconds that only grow; for durations and deadlines. */
  readonly monotonic: () => number;
};

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
};
