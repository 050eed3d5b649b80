import { type Clock, systemClock } from "../lib/clock.ts";
import type { Throttle } from "./throttle.ts";

type News =
  | { readonly kind: "failed"; readonly name: string; readonly network: string; readonly fingerprint: number }
  | { readonly kind: "succeeded"; readonly name: string; readonly network: string };

export type SharedThrottle = Throttle & Disposable;

export type SharingOptions = {
  /** The name under which the threads of one process find each other. */
  readonly channel?: string;
  readonly clock?: Pick<Clock, "monotonic">;
};

/**
 * Tells the throttles of the other threads of this process what this one learns, so that a guesser gains nothing by
 * more connections. Each thread has a monotonic clock of its own: what it hears happened "now".
 */
export function shareThrottle(throttle: Throttle, options: SharingOptions = {}): SharedThrottle {
  const clock = options.clock ?? systemClock;
  const channel = new BroadcastChannel(options.channel ?? "mailkeep-throttle");
  const tell = (news: News): void => channel.postMessage(news);
  channel.addEventListener("message", (event) => {
    const news = event.data as News;
    const now = clock.monotonic();
    if (news.kind === "failed") throttle.failed(news.name, news.network, news.fingerprint, now);
    else throttle.succeeded(news.name, news.network, now);
  });
  channel.unref();
  return {
    wait: (name, network, now) => throttle.wait(name, network, now),
    begin: (name, network, now) => throttle.begin(name, network, now),
    done: (name, network) => throttle.done(name, network),
    failed(name, network, fingerprint, now) {
      tell({ kind: "failed", name, network, fingerprint });
      return throttle.failed(name, network, fingerprint, now);
    },
    succeeded(name, network, now) {
      const news = throttle.succeeded(name, network, now);
      if (news) tell({ kind: "succeeded", name, network });
      return news;
    },
    [Symbol.dispose]: () => channel.close(),
  };
}
