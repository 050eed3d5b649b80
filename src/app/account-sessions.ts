import { SharedCounts, type CountsMemory } from "../lib/shared-counts.ts";
import type { AccountId } from "../model/ids.ts";

/** Counts the sessions of each account, of all protocols and threads together (limits.sessions_per_account). */
export class AccountSessions {
  readonly #counts: SharedCounts;
  readonly #limit: () => number;

  /** `thread`: from 1, as protocol threads are numbered. */
  constructor(memory: CountsMemory, thread: number, limit: () => number) {
    this.#counts = new SharedCounts(memory, thread - 1);
    this.#limit = limit;
  }

  /** Counts one more, which `leave` takes back once; undefined: the account has as many as it may. */
  enter(account: AccountId): { readonly leave: () => void } | undefined {
    const key = String(account);
    if (!this.#counts.enter(key, this.#limit())) return undefined;
    let left = false;
    return {
      leave: () => {
        if (!left) this.#counts.leave(key);
        left = true;
      },
    };
  }
}
