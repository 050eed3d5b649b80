import { setTimeout as pause } from "node:timers/promises";

const probeMilliseconds = 20;

/**
 * Waits until the probe gives something other than undefined or false, and gives that. The deadline ends it with words
 * that say what was awaited: nothing here waits for a fixed time.
 */
export async function until<T>(
  what: string,
  seconds: number,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await pause(probeMilliseconds);
  }
}

/** The promise's value, or an error that says what did not come in time. */
export async function within<T>(what: string, seconds: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${seconds} s for ${what}`)), seconds * 1000);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
