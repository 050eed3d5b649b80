import type { Clock } from "../lib/clock.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Secret } from "../lib/secret.ts";
import type { Account } from "../model/account.ts";
import type { AppPassword } from "../model/device.ts";
import type { Counter, Metrics } from "../observe/metrics-port.ts";
import type { Devices } from "../store/ports.ts";
import { appPasswordDigest, readAppPassword, sameDigest } from "./app-password.ts";
import type { Attempt } from "./attempt.ts";
import type { VerificationCache } from "./cache.ts";
import { FOREIGN_KEY, type InTurn, judgeAppPassword, notJudged, notOpened, type Verdict } from "./judgement.ts";
import { findNamed, type Names } from "./name.ts";
import { isNobodysPassword, type Passwords } from "./password.ts";
import { createScramSeal } from "./scram-keys.ts";
import type { HouseKeys } from "./secret-key.ts";

export type PasswordJudgeOptions = {
  readonly directory: Pick<Names, "account">;
  readonly devices: Pick<Devices, "appPasswords">;
  readonly passwords: Pick<Passwords, "verify">;
  readonly keys: HouseKeys;
  readonly cache: VerificationCache;
  /**
   * `auth.require_app_password`: a main password opens no maildrop then. It still submits mail: what is protected is the
   * mail that is there.
   */
  readonly requireAppPassword: () => boolean;
  /** Told of main passwords that were right, for accounts without SCRAM keys. */
  readonly learner: { saw(account: Account, password: Secret, network: string): void };
  readonly clock: Clock;
  readonly metrics: Metrics;
};

// Checked where there is no such account: the hash of random octets that nobody kept.
const NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$le5EMdICtOTHFajKY635QA$HWqqdvUR8ezHiTk+aOB+Ok3s2ROSkmP+g6YO5rUPghs";

/**
 * Makes the judge of passwords: app passwords first, where the text has their form, then the account's own. What it answers,
 * and what it costs, is the same for an account that does not exist.
 */
export function createPasswordJudge(
  options: PasswordJudgeOptions,
  inTurn: InTurn,
): (password: Secret, attempt: Attempt) => Promise<Verdict> {
  const { directory, passwords, cache, learner, clock } = options;
  const cached: Counter = options.metrics.counter("mailkeep_password_hashes_total", "cached");
  const findAppPassword = appPasswordFinder(options);

  async function check(stored: string, account: string, password: Secret, attempt: Attempt) {
    if (cache.has(account, stored, password)) {
      cached.add();
      return ok(true);
    }
    return cache.ask(account, stored, password, () =>
      inTurn(attempt, async () => {
        const right = await passwords.verify(stored, password, attempt.network);
        return right.ok ? right : err("the password could not be checked");
      }),
    );
  }

  return async (password, attempt) => {
    const { name, key, scope, network } = attempt;
    if (isNobodysPassword(password)) return { is: "wrong", named: undefined, reason: "no password" };
    const named = name && (await findNamed(name, directory));
    const account = named?.account;
    const found = account ? await findAppPassword(account, password) : ok(undefined);
    if (named && found.ok && found.value) return judgeAppPassword(found.value, named, scope, clock.now());

    // Then nobody's own password is looked at, lest the time of it tells who has an account.
    const mayBeOwn = scope !== "pop3" || !options.requireAppPassword();
    const right = mayBeOwn
      ? await check(account?.secret ?? NOBODY, account?.address ?? key, password, attempt)
      : await inTurn(attempt, () => Promise.resolve(ok(false)));
    if (!right.ok) return notJudged(right.error, named);
    if (!named) return { is: "wrong", named, reason: name ? "unknown" : "not an address" };
    if (!right.value) {
      if (!found.ok) return notOpened(named);
      return { is: "wrong", named, reason: mayBeOwn ? "wrong password" : "app password required" };
    }
    learner.saw(named.account, password, network);
    return { is: "right", named, appPassword: undefined };
  };
}

/** Finds which app password of an account a text is; the account's are read only where it has the form of one. */
function appPasswordFinder({ devices, keys }: Pick<PasswordJudgeOptions, "devices" | "keys">) {
  const seal = createScramSeal(keys);
  return async ({ id, address }: Account, password: Secret): Promise<Result<AppPassword | undefined, string>> => {
    const octets = readAppPassword(password.reveal());
    if (octets === undefined) return ok(undefined);
    const kept = await devices.appPasswords(id);
    const digest = appPasswordDigest(keys, address, octets);
    const found = kept.find((one) => sameDigest(one.digest, digest));
    // Made with another secret key, none can be told from a wrong one: an outage, after which nobody throws theirs away.
    if (!found && kept.some((one) => !seal.isOurs(one.scram))) return err(FOREIGN_KEY);
    return ok(found);
  };
}
