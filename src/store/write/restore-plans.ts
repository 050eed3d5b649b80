import type { MailboxId, Uid } from "../../model/ids.ts";
import type { RemovedFilter } from "../ports.ts";
import type { RemovedKey } from "../sql/removed-rows.ts";
import { removedKeysFrom } from "../sql/removed-rows.ts";
import type { Sql } from "../sql/statement.ts";

// Some ms of the writer's turn.
const KEYS_AT_ONCE = 5000;
// Of a maildrop of a million one takes 12 MB; of more at a time the oldest begins anew.
const MOST_PLANS = 8;

/** Keys in order of uid, and how many of them were given. */
type Run = { readonly uids: Uint32Array; readonly ats: Float64Array; given: number };

/** Which rows a restore in steps brings back next. */
export type RestorePlan = {
  /** Whether all keys are known; before that `read` has to be called again. */
  readonly whole: boolean;
  /** Whether every key was given. */
  readonly ended: boolean;
  /** Whether it gave keys in more than one call. */
  readonly large: boolean;
  read(sql: Sql): Promise<void>;
  /** The next ones, the lowest uids first. */
  next(count: number): readonly RemovedKey[];
};

/**
 * The plans of restores that are under way. Rows come back in order of uid, and lie in order of their removal: to look for
 * the lowest at each step would be to read all of them each time. A plan is only a hint: it is lost at a restart, and what is
 * not there any more is stepped over.
 */
export class RestorePlans {
  readonly #plans = new Map<string, RestorePlan>();

  /** The plan of these calls, which goes on from one to the next. */
  of(mailbox: MailboxId, filter: RemovedFilter): RestorePlan {
    const name = nameOf(mailbox, filter);
    const plan = this.#plans.get(name) ?? new Plan(mailbox, filter);
    this.#plans.delete(name);
    this.#plans.set(name, plan);
    for (const oldest of this.#plans.keys()) if (this.#plans.size > MOST_PLANS) this.#plans.delete(oldest);
    return plan;
  }

  forget(mailbox: MailboxId, filter: RemovedFilter): void {
    this.#plans.delete(nameOf(mailbox, filter));
  }
}

function nameOf(mailbox: MailboxId, { since, device, uid }: RemovedFilter): string {
  return JSON.stringify([mailbox, since, device, uid]);
}

class Plan implements RestorePlan {
  readonly #mailbox: MailboxId;
  readonly #filter: RemovedFilter;
  /** One for each page, so that no turn sorts a million; the next ones are the lowest that they go on with. */
  readonly #runs: Run[] = [];
  #behind: Pick<RemovedKey, "at" | "uid">;
  #calls = 0;
  whole = false;

  constructor(mailbox: MailboxId, filter: RemovedFilter) {
    this.#mailbox = mailbox;
    this.#filter = filter;
    // No uid is 0.
    this.#behind = { at: filter.since ?? 0, uid: 0 as Uid };
  }

  get large(): boolean {
    return this.#calls > 1;
  }

  get ended(): boolean {
    return this.#lowest() === undefined;
  }

  async read(sql: Sql): Promise<void> {
    const page = await removedKeysFrom(sql, this.#mailbox, this.#behind, KEYS_AT_ONCE);
    const { uid: wanted, device: by } = this.#filter;
    const keys = page
      .filter(({ uid, device }) => (wanted === undefined || uid === wanted) && (by === undefined || device === by))
      .toSorted((one, other) => one.uid - other.uid);
    if (keys.length > 0)
      this.#runs.push({
        uids: Uint32Array.from(keys, ({ uid }) => uid),
        ats: Float64Array.from(keys, ({ at }) => at),
        given: 0,
      });
    this.#behind = page.at(-1) ?? this.#behind;
    this.whole = page.length < KEYS_AT_ONCE;
  }

  next(count: number): readonly RemovedKey[] {
    const keys: RemovedKey[] = [];
    while (keys.length < count) {
      const run = this.#lowest();
      if (run === undefined) break;
      keys.push({ uid: (run.uids[run.given] ?? 0) as Uid, at: run.ats[run.given] ?? 0 });
      run.given += 1;
    }
    if (keys.length > 0) this.#calls += 1;
    return keys;
  }

  #lowest(): Run | undefined {
    let lowest: Run | undefined;
    let uid = Infinity;
    for (const run of this.#runs) {
      const next = run.uids[run.given] ?? Infinity;
      if (next < uid) [lowest, uid] = [run, next];
    }
    return lowest;
  }
}
