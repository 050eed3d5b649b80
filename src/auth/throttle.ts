/** Slows down who guesses passwords; pure: the caller brings the time (monotonic ms). */
export type Throttle = {
  /** Seconds to wait before this account may be tried from this network; 0: go on. */
  wait(name: string, network: string, now: number): number;
};

/** Makes a throttle that has seen nothing. */
export function createThrottle(): Throttle {
  throw new Error("not built yet");
}
