import type { Result } from "../lib/result.ts";
import type { AppPassword, Scope } from "../model/device.ts";
import type { Attempt } from "./attempt.ts";
import type { RefusalReason } from "./login-report.ts";
import type { Named } from "./name.ts";

/** Credentials that are whose they say they are; `appPassword`: that it was one, and which. */
export type Right = {
  readonly is: "right";
  readonly named: Named;
  readonly appPassword: AppPassword | undefined;
  readonly serverSignature?: Uint8Array;
};

/** What counts as a failure; `reason` is for the operator only. */
export type Wrong = {
  readonly is: "wrong";
  readonly named: Named | undefined;
  readonly reason: Exclude<RefusalReason, "throttled">;
};

export type Verdict =
  | Right
  | Wrong
  | { readonly is: "throttled"; readonly named: Named | undefined }
  /** An outage; it counts against nobody, but where it was also a wrong guess at another credential of the account. */
  | { readonly is: "unavailable"; readonly reason: string; readonly guessed?: Named };

/**
 * Runs a check for an attempt where there is a place for it, so that who guesses in parallel gains nothing. Errors:
 * "throttled", or why nothing can be judged now.
 */
export type InTurn = <T>(attempt: Attempt, check: () => Promise<Result<T, string>>) => Promise<Result<T, string>>;

/** The verdict of a check that could not be made. */
export function notJudged(error: string, named: Named | undefined): Verdict {
  return error === "throttled" ? { is: "throttled", named } : { is: "unavailable", reason: error };
}

/** The verdict where some credentials could not be opened, and the account's others are not it. */
export function notOpened(guessed: Named): Verdict {
  return { is: "unavailable", reason: FOREIGN_KEY, guessed };
}

/** Why a credential could not be judged that the secret key in the data folder does not open. */
export const FOREIGN_KEY = "credentials were made with another secrets.key, or are damaged";

/** The verdict on an app password that was found: at this door, at this time. */
export function judgeAppPassword(found: AppPassword, named: Named, scope: Scope, now: number): Right | Wrong {
  if (found.expires !== null && found.expires <= now) return { is: "wrong", named, reason: "expired" };
  if (!found.scopes.includes(scope)) return { is: "wrong", named, reason: "out of scope" };
  return { is: "right", named, appPassword: found };
}
