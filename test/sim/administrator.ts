import { unreachable } from "../../src/lib/assert.ts";
import { removeAccount, releaseMaildrop, setEnabled } from "../../src/mailbox/accounts.ts";
import { expireOld } from "../../src/mailbox/retention.ts";
import { eraseRemoved, restore } from "../../src/mailbox/undelete.ts";
import type { Address } from "../../src/model/address.ts";
import { NO_ACTOR } from "../../src/model/history.ts";
import type { NewAccount } from "../../src/store/ports.ts";
import { silentLog } from "../../src/observe/testing.ts";
import { addressOf, sleep, type Stage } from "./actor.ts";
import type { Life } from "./life.ts";
import { quietMetrics } from "./parts-quiet.ts";
import type { Act, AdminPlan } from "./plan.ts";
import type { Owner } from "./runtime.ts";

const DAY_MS = 86_400_000;
const MOST_PASSES = 30;
/** What takes maildrops for itself. */
const TAKING: ReadonlySet<Act> = new Set(["expire", "remove", "disable", "enable", "release"]);

/** What a new account is made with. */
export function newAccount(address: string): NewAccount {
  return { address: address as Address, secret: "", enabled: true, quota: { octets: null, messages: null } };
}

/** Somebody who runs the house, and its jobs. */
export class Administrator {
  readonly #stage: Stage;
  readonly #name: string;
  readonly #owner: Owner;

  constructor(stage: Stage, name: string, owner: Owner) {
    this.#stage = stage;
    this.#name = name;
    this.#owner = owner;
  }

  async run({ acts }: AdminPlan): Promise<void> {
    for (const { act, account, pauseMs } of acts) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.act(act, addressOf(account));
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await sleep(this.#stage.runtime, this.#owner, pauseMs);
    }
  }

  async act(act: Act, address: string): Promise<void> {
    const over = TAKING.has(act) ? this.#stage.oracle.ordering() : undefined;
    const outcome = await this.#do(act, address);
    over?.();
    this.#stage.tell(this.#name, `${act} ${address}: ${String(outcome)}`);
  }

  /** Finds out about an account of which nobody knows whether it is there. */
  async look(address: string): Promise<void> {
    const { oracle } = this.#stage;
    const { account, doubtLife } = oracle.maildrop(address);
    // In the same life what was asked for may be under way still.
    if (account !== "leaving" || (this.#stage.life()?.number ?? 0) <= doubtLife) return;
    const found = await this.#order(
      async ({ admin }) => (await admin?.directory.account(address as Address)) !== undefined,
    );
    if (typeof found === "boolean") oracle.accountIs(address, found);
  }

  #do(act: Act, address: string): Promise<unknown> {
    switch (act) {
      case "expire":
        return this.#expire();
      case "erase":
        return this.#erase();
      case "reclaim":
        return this.#order((life) => this.#reclaim(life));
      case "forget":
        return this.#order(async ({ admin, clock }) => {
          await admin?.upkeep.forget({ history: clock.now() - 30 * DAY_MS, places: 0 });
        });
      case "restore":
        return this.#restore(address);
      case "remove":
        return this.#remove(address);
      case "make":
        return this.#make(address);
      case "disable":
        return this.#enable(address, false);
      case "enable":
        return this.#enable(address, true);
      case "release":
        return this.#release(address);
      default:
        return unreachable(act);
    }
  }

  /** What came of an order; a failure of the store as its words. */
  async #order<T>(work: (life: Life) => Promise<T>): Promise<T | "lost" | "down" | "failed"> {
    const outcome = await this.#stage.order(this.#owner, async (life) => {
      try {
        return await work(life);
      } catch (cause) {
        if (cause instanceof Error && cause.name === "StoreError") return "failed" as const;
        throw cause;
      }
    });
    return typeof outcome === "string" ? outcome : outcome.done;
  }

  async #expire(): Promise<unknown> {
    const { oracle, plan } = this.#stage;
    const { expireDays, undeleteDays } = plan.settings;
    const told = (): void => {
      if (expireDays > 0) oracle.removals.expiring(this.#stage.agingWall() - expireDays * DAY_MS);
    };
    told();
    const outcome = await this.#order(async ({ admin: store, patient }) => {
      if (store === undefined || patient === undefined) return "down";
      const figures = { expireDays: () => expireDays, undeleteDays: () => undeleteDays };
      const parts = { store, clock: patient, log: silentLog, metrics: quietMetrics, ...figures };
      await expireOld(parts, new AbortController().signal);
      return "done";
    });
    told();
    return outcome;
  }

  async #erase(): Promise<unknown> {
    const { undeleteDays } = this.#stage.plan.settings;
    const told = (): void => this.#stage.oracle.removals.erasing(this.#stage.agingWall() - undeleteDays * DAY_MS);
    told();
    const outcome = await this.#order(async ({ admin, patient }) => {
      if (admin === undefined || patient === undefined) return "down";
      const figures = { undeleteDays: () => undeleteDays, freePercent: () => 0 };
      const parts = { upkeep: admin.upkeep, clock: patient, log: silentLog, metrics: quietMetrics, ...figures };
      await eraseRemoved(parts, new AbortController().signal);
      return "done";
    });
    told();
    return outcome;
  }

  async #reclaim({ admin, patient }: Life): Promise<string> {
    if (admin === undefined) return "down";
    const before = (patient?.now() ?? 0) - this.#stage.plan.settings.eraseDays * DAY_MS;
    let moved = 0;
    for (let pass = 0; pass < MOST_PASSES; pass += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const done = await admin.upkeep.reclaim(before);
      moved += done.octetsMoved;
      if (!done.more) break;
    }
    return `moved ${moved}`;
  }

  async #restore(address: string): Promise<unknown> {
    const { oracle } = this.#stage;
    if (oracle.maildrop(address).account !== "there") return "no";
    const asked = oracle.removals.restoring(oracle.maildrop(address));
    const outcome = await this.#order(async ({ admin }) => {
      const account = await admin?.directory.account(address as Address);
      if (admin === undefined || account === undefined) return "failed";
      return restore(admin.mail, account.inbox, {}, NO_ACTOR);
    });
    if (typeof outcome !== "string" && outcome.ok) {
      oracle.removals.restored(asked);
      return `${outcome.value.restored} restored`;
    }
    oracle.removals.notRestored(asked);
    return typeof outcome === "string" ? outcome : `${outcome.error.reason} after ${outcome.error.restored}`;
  }

  async #remove(address: string): Promise<unknown> {
    const { oracle } = this.#stage;
    await this.look(address);
    if (oracle.maildrop(address).account !== "there") return "no";
    oracle.removing(address);
    const outcome = await this.#order(({ admin }) => removeAccount(admin ?? missing(), address as Address));
    if (typeof outcome === "string") return outcome;
    if (outcome.ok || outcome.error === "unknown") oracle.accountIs(address, false);
    return outcome.ok ? `${outcome.value.messages} gone with it` : outcome.error;
  }

  async #make(address: string): Promise<unknown> {
    const { oracle } = this.#stage;
    await this.look(address);
    if (oracle.maildrop(address).account !== "gone") return "no";
    oracle.made(address);
    oracle.removing(address);
    const outcome = await this.#order(({ admin, clock }) =>
      (admin ?? missing()).directory.addAccounts([newAccount(address)], clock.now()),
    );
    if (typeof outcome === "string") return outcome;
    if (outcome.ok) oracle.accountIs(address, true);
    return outcome.ok ? "made" : JSON.stringify(outcome.error);
  }

  async #enable(address: string, enabled: boolean): Promise<unknown> {
    const { oracle } = this.#stage;
    oracle.enabling(address, enabled, false);
    const outcome = await this.#order(({ admin }) => setEnabled(admin ?? missing(), address as Address, enabled));
    if (typeof outcome === "string") return outcome;
    if (outcome.ok) oracle.enabling(address, enabled, true);
    return outcome.ok ? "done" : outcome.error;
  }

  async #release(address: string): Promise<unknown> {
    this.#stage.oracle.cutting(address);
    return this.#order(async ({ admin }) => {
      const account = await admin?.directory.account(address as Address);
      if (admin === undefined || account === undefined) return "no account";
      return releaseMaildrop(admin, account.inbox);
    });
  }
}

function missing(): never {
  throw new Error("the main thread has a store while it serves");
}
