import { err } from "../lib/result.ts";
import { splitAddress } from "../model/address.ts";
import type { AccountId } from "../model/ids.ts";
import { type Client, placeOf } from "../model/peer.ts";
import type { Log } from "../observe/log-port.ts";
import { type Attempt, fingerprintOf, readAttempt } from "./attempt.ts";
import type { Credentials } from "./engine/credentials.ts";
import { createPasswordJudge, type PasswordJudgeOptions } from "./judge-password.ts";
import { createScramJudge } from "./judge-scram.ts";
import { createNamingJudge, type NamingOptions } from "./judge-token.ts";
import type { InTurn, Right, Verdict } from "./judgement.ts";
import type { LoginDoor, RefusalReason } from "./login-report.ts";
import { type Name, type Named, preparedBase, printableName } from "./name.ts";
import type { Throttle } from "./throttle.ts";

export type JudgeOptions = PasswordJudgeOptions &
  NamingOptions & {
    readonly throttle: Throttle;
    /** Told of a success from a place that was news (abuse control). */
    readonly places: { note(account: AccountId, place: string, at: number): void };
    readonly log: Log;
  };

export type Judgement =
  | Right
  | {
      readonly is: "refused";
      readonly name: Name | undefined;
      readonly named: Named | undefined;
      readonly reason: RefusalReason;
    }
  | { readonly is: "unavailable"; readonly reason: string };

/** Makes the judge of all credentials: throttle, then credential, then account. */
export function createJudge(
  options: JudgeOptions,
  roomToHold: () => boolean,
): (credentials: Credentials, client: Client, door: LoginDoor) => Promise<Judgement> {
  const { directory, throttle, cache, clock, places, log } = options;

  const inTurn: InTurn = async ({ key, network }, check) => {
    if (!roomToHold()) return err("too many refused logins are held");
    if (!throttle.begin(key, network, clock.monotonic())) return err("throttled");
    try {
      return await check();
    } finally {
      throttle.done(key, network);
    }
  };
  const judgePassword = createPasswordJudge(options, inTurn);
  const judgeProof = createScramJudge(options, inTurn);
  const judgeNaming = createNamingJudge(options, inTurn);

  function judgeCredentials(credentials: Credentials, attempt: Attempt): Promise<Verdict> {
    if (credentials.kind === "password") return judgePassword(credentials.password, attempt);
    return credentials.kind === "scram" ? judgeProof(credentials, attempt) : judgeNaming(credentials, attempt);
  }

  async function failed(credentials: Credentials, { name, key, network, client }: Attempt, named: Named | undefined) {
    const proxied = client.peer.proxied ?? false;
    const block = throttle.failed(key, network, fingerprintOf(credentials, cache), clock.monotonic(), proxied);
    // A second is what a forgetful device pays each time; more is news.
    if (!block || block.seconds <= 1) return;
    const user = await printableName(name, named, directory);
    const who = block.of === "network" ? network : `${user ?? "a name not of ours"} from ${network}`;
    log.warn("login.blocked", { key: who, seconds: block.seconds });
  }

  function succeeded({ name, key, network, client }: Attempt, { account }: Named): void {
    const own = name ? key : preparedBase(splitAddress(account.address));
    if (throttle.succeeded(own, network, clock.monotonic())) places.note(account.id, placeOf(client.peer), clock.now());
  }

  return async (credentials, client, door) => {
    const attempt = await readAttempt(credentials, client, door, options);
    const { name, key, network } = attempt;
    if (throttle.wait(key, network, clock.monotonic()) > 0) {
      return { is: "refused", name, named: undefined, reason: "throttled" };
    }
    const judged = await judgeCredentials(credentials, attempt);
    if (judged.is === "unavailable") {
      if (judged.guessed) await failed(credentials, attempt, judged.guessed);
      return judged;
    }
    if (judged.is === "throttled") return { is: "refused", name, named: judged.named, reason: "throttled" };
    if (judged.is === "right" && judged.named.account.enabled) {
      succeeded(attempt, judged.named);
      return judged;
    }
    await failed(credentials, attempt, judged.named);
    return { is: "refused", name, named: judged.named, reason: judged.is === "right" ? "disabled" : judged.reason };
  };
}
