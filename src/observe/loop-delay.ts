import type { Metrics } from "./metrics-port.ts";

const INTERVAL_MS = 500;

/** Measures how late the thread's loop comes to a timer: what every session on it has to wait. Returns its end. */
export function watchLoop(metrics: Metrics): () => void {
  const delay = metrics.histogram("mailkeep_loop_delay_seconds");
  let due = performance.now() + INTERVAL_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    delay.observe(Math.max(0, now - due) / 1000);
    due = now + INTERVAL_MS;
  }, INTERVAL_MS).unref();
  return () => clearInterval(timer);
}
