import type { Clock } from "./clock.ts";

// A clock that is set by a network is put right in smaller steps; summer time is none at all.
const TOLERANCE_MS = 60 * 60 * 1000;
const PATIENCE_MS = 24 * 60 * 60 * 1000;
// A machine that was switched off for longer waits a day with what destroys by age.
const LONGEST_REST_MS = 7 * PATIENCE_MS;

/**
 * A clock for what destroys by age: when the time of day jumps ahead of the time that has passed, it goes on as if it had
 * not, until the jump has stood for a day. So a clock that is set years ahead by mistake, and put right, has destroyed
 * nothing. `last`: the time that was believed when this clock was last asked, in a run before; a start more than a week after it
 * is such a jump too. `jumped` is told of each jump and by how much.
 */
export function createPatientClock(clock: Clock, jumped: (ms: number) => void, last?: number): Clock {
  const rested = last !== undefined && clock.now() - last > LONGEST_REST_MS;
  let believed = { now: rested ? last : clock.now(), monotonic: clock.monotonic() };
  let doubtedSince: number | undefined;
  return {
    monotonic: clock.monotonic,
    now() {
      const now = clock.now();
      const monotonic = clock.monotonic();
      const expected = believed.now + (monotonic - believed.monotonic);
      const ahead = now - expected;
      if (ahead > TOLERANCE_MS && doubtedSince === undefined) {
        doubtedSince = monotonic;
        jumped(ahead);
      }
      if (ahead > TOLERANCE_MS && monotonic - (doubtedSince ?? monotonic) < PATIENCE_MS) return expected;
      believed = { now, monotonic };
      doubtedSince = undefined;
      return now;
    },
  };
}
