import type { Clock } from "../lib/clock.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Secret } from "../lib/secret.ts";
import type { Address, AddressParts, Domain } from "../model/address.ts";
import type { AccountId, MailboxId } from "../model/ids.ts";
import { networkOf, type Peer } from "../model/peer.ts";
import type { Log } from "../observe/log-port.ts";
import type { Counter, Metrics } from "../observe/metrics-port.ts";
import type { VerificationCache } from "./cache.ts";
import type { Credentials } from "./engine/credentials.ts";
import { createLoginReport, type LoginDoor, type RefusalReason } from "./login-report.ts";
import { findNamed, type Named, type Names, readName } from "./name.ts";
import { passwordProblem, type Passwords } from "./password.ts";
import { createPause, type Pause, pauseAfter } from "./refusal-pause.ts";
import type { Throttle } from "./throttle.ts";

/** Who logged in and which of the account's maildrops the name meant (INTERFACE "Names of people"). */
export type Identity = {
  readonly account: AccountId;
  readonly address: Address;
  readonly mailbox: MailboxId;
};

/** "refused" is P10's one word; "throttled" was not judged; "unavailable" is an outage, never a wrong password. */
export type LoginRefusal = "refused" | "throttled" | "unavailable";

export type Login = (credentials: Credentials, peer: Peer, door: LoginDoor) => Promise<Result<Identity, LoginRefusal>>;

export type LoginOptions = {
  readonly directory: Names;
  readonly passwords: Pick<Passwords, "verify">;
  readonly throttle: Throttle;
  readonly cache: VerificationCache;
  /** `auth.default_domain`; asked at each login, so that a reload takes hold. */
  readonly defaultDomain: () => Domain | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Ends the waits of refused logins. */
  readonly stopping: AbortSignal;
  /** How refused logins wait; a test brings its own time. */
  readonly pause?: Pause;
};

// Checked where there is no such account: the hash of random octets that nobody kept.
const NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$le5EMdICtOTHFajKY635QA$HWqqdvUR8ezHiTk+aOB+Ok3s2ROSkmP+g6YO5rUPghs";
const NOT_AN_ADDRESS = "(not an address)";
/** Refused logins held at a time; past it only passwords that were right before are judged, so that P10 still holds. */
const MOST_HELD = 20_000;

type Judgement =
  | { readonly is: "right"; readonly named: Named }
  | { readonly is: "refused"; readonly named: Named | undefined; readonly reason: RefusalReason }
  | { readonly is: "unavailable"; readonly reason: string };

type Attempt = { readonly name: AddressParts | undefined; readonly password: Secret; readonly network: string };

/** Makes the one function that decides a login, whatever the protocol and the mechanism. */
export function createLogin(options: LoginOptions): Login {
  const { directory, defaultDomain, clock } = options;
  const report = createLoginReport(options.log, options.metrics);
  const pause = options.pause ?? createPause(options.stopping);
  let held = 0;
  const judge = createJudge(options, () => held < MOST_HELD);

  async function hold(started: number): Promise<void> {
    held += 1;
    await pause(pauseAfter(clock.monotonic() - started));
    held -= 1;
  }

  return async (credentials, peer, door) => {
    const started = clock.monotonic();
    const visitor = { ...door, mechanism: credentials.mechanism, peer: peer.address };
    try {
      const read = readName(credentials.user, defaultDomain(), directory);
      const name = read instanceof Promise ? await read : read;
      const judged = await judge({ name, password: credentials.password, network: networkOf(peer) });
      if (judged.is === "right") {
        report.ok(visitor, judged.named, (clock.monotonic() - started) / 1000);
        const { account, mailbox } = judged.named;
        return ok({ account: account.id, address: account.address, mailbox });
      }
      if (judged.is === "unavailable") {
        report.unavailable(visitor, judged.reason);
        return err("unavailable");
      }
      report.refused(visitor, await printable(name, judged.named, directory), judged.reason);
      await hold(started);
      return err(judged.reason === "throttled" ? "throttled" : "refused");
    } catch (error) {
      // Whatever failed, it was not the password: an outage for the operator to mend (rule 3206-01).
      report.unavailable(visitor, error instanceof Error ? error.message : "unknown");
      return err("unavailable");
    }
  };
}

/** People type passwords where a name belongs: only an address in a domain of ours is written down (P7). */
async function printable(
  name: AddressParts | undefined,
  named: Named | undefined,
  names: Names,
): Promise<Address | undefined> {
  if (named) return named.account.address;
  return name && (await names.hasDomain(name.domain)) ? name.base : undefined;
}

/** Throttle, then credential. What it answers, and what it costs, is the same for an account that does not exist. */
function createJudge(options: LoginOptions, roomToHold: () => boolean): (attempt: Attempt) => Promise<Judgement> {
  const { directory, passwords, throttle, cache, clock, log } = options;
  const cached: Counter = options.metrics.counter("mailkeep_password_hashes_total", "cached");

  async function check(key: string, account: string, stored: string, { password, network }: Attempt) {
    if (cache.has(account, stored, password)) {
      cached.add();
      return ok(true);
    }
    if (!roomToHold()) return err("too many refused logins are held");
    return cache.ask(account, stored, password, async () => {
      if (!throttle.begin(key, network, clock.monotonic())) return err("throttled");
      try {
        const right = await passwords.verify(stored, password, network);
        return right.ok ? right : err("the password could not be checked");
      } finally {
        throttle.done(key, network);
      }
    });
  }

  async function wrong(attempt: Attempt, key: string, named: Named | undefined, reason: RefusalReason) {
    const { network, password } = attempt;
    const block = throttle.failed(key, network, cache.fingerprint(password), clock.monotonic());
    // A second is what a forgetful device pays each time; more is news.
    if (block && block.seconds > 1) {
      const user = await printable(attempt.name, named, directory);
      const who = block.of === "network" ? network : `${user ?? "a name not of ours"} from ${network}`;
      log.warn("login.blocked", { key: who, seconds: block.seconds });
    }
    return { is: "refused", named, reason } as const;
  }

  return async (attempt) => {
    const { name, network, password } = attempt;
    const key = name?.base ?? NOT_AN_ADDRESS;
    if (throttle.wait(key, network, clock.monotonic()) > 0) {
      return { is: "refused", named: undefined, reason: "throttled" };
    }
    if (passwordProblem(password)) return wrong(attempt, key, undefined, "no password");
    const named = name && (await findNamed(name, directory));
    const account = named?.account;
    const right = await check(key, account?.address ?? key, account?.secret ?? NOBODY, attempt);
    if (!right.ok) {
      return right.error === "throttled"
        ? { is: "refused", named, reason: "throttled" }
        : { is: "unavailable", reason: right.error };
    }
    if (!named) return wrong(attempt, key, named, name ? "unknown" : "not an address");
    if (!right.value) return wrong(attempt, key, named, "wrong password");
    if (!named.account.enabled) return wrong(attempt, key, named, "disabled");
    throttle.succeeded(key, network, clock.monotonic());
    return { is: "right", named };
  };
}
