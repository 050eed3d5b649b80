import type { Secret } from "../lib/secret.ts";
import type { Account } from "../model/account.ts";
import type { AccountId } from "../model/ids.ts";
import type { Directory } from "../store/ports.ts";
import type { Passwords } from "./password.ts";
import { createScramSeal, ownerOf } from "./scram-keys.ts";
import { scramSalt } from "./scram.ts";
import type { HouseKeys } from "./secret-key.ts";

/** Gives accounts SCRAM keys once their password was seen; disposing waits for what is under way. */
export type ScramLearner = AsyncDisposable & {
  /** Notes a password that was right, where the account has no keys that can be opened. */
  saw(account: Account, password: Secret, network: string): void;
};

export type ScramLearnerOptions = {
  readonly directory: Pick<Directory, "addScram">;
  readonly passwords: Pick<Passwords, "scramKeys">;
  readonly keys: HouseKeys;
};

/** Accounts that get keys at a time; others wait for their next login, rather than logins for them. */
const AT_A_TIME = 4;

/**
 * Makes a learner. It works beside the login, which does not wait: an imported hash gets its keys at the first success, and
 * keys of a lost secret key are made anew. What fails is tried again at the next login.
 */
export function createScramLearner({ directory, passwords, keys }: ScramLearnerOptions): ScramLearner {
  const seal = createScramSeal(keys);
  const learning = new Map<AccountId, Promise<void>>();

  async function learn({ id, address, secret }: Account, password: Secret, network: string): Promise<void> {
    try {
      const made = await passwords.scramKeys(password, scramSalt(keys, address), network);
      // The store does nothing where the secret is another by now: then the keys would be of the old password.
      if (made.ok) await directory.addScram(id, secret, seal.seal(made.value, ownerOf(address)));
    } catch {
      // The store did not answer: an outage that logins themselves report; the next login tries again.
    }
  }

  return {
    saw(account, password, network) {
      if (account.scram !== null && seal.isOurs(account.scram)) return;
      if (learning.has(account.id) || learning.size >= AT_A_TIME) return;
      const done = learn(account, password, network).finally(() => learning.delete(account.id));
      learning.set(account.id, done);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(learning.values());
    },
  };
}
