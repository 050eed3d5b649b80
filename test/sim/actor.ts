import type { Life } from "./life.ts";
import type { Oracle } from "./oracle.ts";
import type { Plan } from "./plan.ts";
import type { Owner, Runtime } from "./runtime.ts";
import type { Protocol } from "./server.ts";
import type { Talk } from "./talk.ts";

/** What actors find around them. */
export type Stage = {
  readonly runtime: Runtime;
  readonly oracle: Oracle;
  readonly plan: Plan;
  /** The run of the server that there is now; undefined: it is down. */
  life(): Life | undefined;
  tell(who: string, what: string): void;
  /** undefined: nobody listens. */
  connect(owner: Owner, name: string, protocol: Protocol): Talk | undefined;
  /** Has something done by the server's main thread; "lost": it died before it answered, "down": there is none. */
  order<T>(owner: Owner, work: (life: Life) => Promise<T>): Promise<{ readonly done: T } | "lost" | "down">;
  /** The time of the clock on the wall by which retention may go. */
  agingWall(): number;
};

/** Goes on after so long. */
export function sleep(runtime: Runtime, owner: Owner, ms: number): Promise<void> {
  return new Promise((resolve) => {
    runtime.after(owner, ms, resolve);
  });
}

/** The address of an account by its index. */
export function addressOf(account: number): string {
  return `${["ann", "bob", "cat", "dan"][account] ?? `user${account}`}@example.test`;
}
