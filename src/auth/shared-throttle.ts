import { randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { ThrottleState } from "./throttle-state.ts";
import type { PenaltyFilter, Throttle } from "./throttle.ts";

type News =
  | {
      readonly kind: "failed";
      readonly name: string;
      readonly network: string;
      readonly fingerprint: number;
      readonly proxied: boolean;
    }
  | { readonly kind: "succeeded"; readonly name: string; readonly network: string }
  | { readonly kind: "clear"; readonly filter: PenaltyFilter }
  /** A throttle that begins asks what there is; the replica answers it. */
  | { readonly kind: "ask"; readonly asker: string }
  | { readonly kind: "state"; readonly asker: string; readonly state: ThrottleState };

export type SharedThrottle = Throttle & Disposable;

export type SharingOptions = {
  /** The name under which the threads of one process find each other. */
  readonly channel?: string;
  readonly clock?: Pick<Clock, "monotonic">;
  /**
   * Whether this is the main thread's, which judges no login, hears of all, and tells a thread that is started again what
   * it knows. There is one.
   */
  readonly replica?: boolean;
};

/**
 * Tells the throttles of the other threads of this process what this one learns, so that a guesser gains nothing by
 * more connections. Each thread has a monotonic clock of its own: what it hears happened "now".
 */
export function shareThrottle(throttle: Throttle, options: SharingOptions = {}): SharedThrottle {
  const { clock = systemClock, replica = false } = options;
  const channel = new BroadcastChannel(options.channel ?? "mailkeep-throttle");
  const own = randomUUID();
  const tell = (news: News): void => channel.postMessage(news);
  channel.addEventListener("message", (event) => {
    const news = event.data as News;
    const now = clock.monotonic();
    if (news.kind === "failed") throttle.failed(news.name, news.network, news.fingerprint, now, news.proxied);
    else if (news.kind === "succeeded") throttle.succeeded(news.name, news.network, now);
    else if (news.kind === "clear") throttle.clear(news.filter, now);
    else if (news.kind === "state" && news.asker === own) throttle.learn(news.state, now);
    else if (news.kind === "ask" && replica) tell({ kind: "state", asker: news.asker, state: throttle.state(now) });
  });
  channel.unref();
  if (!replica) tell({ kind: "ask", asker: own });
  return {
    wait: (name, network, now) => throttle.wait(name, network, now),
    begin: (name, network, now) => throttle.begin(name, network, now),
    done: (name, network) => throttle.done(name, network),
    failed(name, network, fingerprint, now, proxied = false) {
      tell({ kind: "failed", name, network, fingerprint, proxied });
      return throttle.failed(name, network, fingerprint, now, proxied);
    },
    succeeded(name, network, now) {
      const news = throttle.succeeded(name, network, now);
      if (news) tell({ kind: "succeeded", name, network });
      return news;
    },
    seed: (name, place, ageMs, now) => throttle.seed(name, place, ageMs, now),
    penalties: (now) => throttle.penalties(now),
    clear(filter, now) {
      tell({ kind: "clear", filter });
      return throttle.clear(filter, now);
    },
    state: (now) => throttle.state(now),
    learn: (state, now) => throttle.learn(state, now),
    [Symbol.dispose]: () => channel.close(),
  };
}
