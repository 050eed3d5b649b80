import type { PasswordProblem } from "../auth/password.ts";
import type { SecretProblem } from "../auth/schemes/parse.ts";
import type { WriteFailure } from "../store/ports.ts";

/** One line of an import that cannot be taken. */
export type ImportProblem = {
  readonly line: number;
  /** "" where the line has none that can be read. */
  readonly address: string;
  readonly code:
    | "no-secret"
    | "bad-address"
    | `secret-${SecretProblem["code"] | PasswordProblem}`
    | "unknown-domain"
    | "exists"
    | "repeated";
  /** The domain, the other line, or in English why the secret is none; never any of the secret. */
  readonly detail?: string;
};

/** Why an administrative operation was not done; nothing of it was. */
export type Refusal = {
  readonly code:
    | "bad-domain"
    | "bad-address"
    | "unknown-domain"
    | "domain-exists"
    | "domain-in-use"
    | "unknown-user"
    | "user-exists"
    | "empty-password"
    | "too-long-password"
    | "control-password"
    | "prohibited-password"
    | "bad-device-name"
    | "device-exists"
    | "too-many-devices"
    | "unknown-device"
    | "expired-already"
    | "unknown-message"
    | "message-is-here"
    | "message-is-gone"
    | "nothing-to-restore"
    /** Some of it was done; `detail` says how much. */
    | "partly-restored"
    | "bad-network"
    | "import-refused"
    | "busy"
    | "certificate"
    | "scrub-busy"
    /** The server stops; what was looked at need not be looked at again. */
    | "scrub-stopped"
    | "bad-input"
    | "unknown-operation"
    /** The server went away before it answered: whether it was done is not known. */
    | "gone"
    /** It says nothing at all, as one that was stopped does. */
    | "silent"
    | "full"
    | "failed";
  /** The domain, address or name that it was about; "" where it is about none. */
  readonly subject: string;
  readonly detail?: string;
  readonly problems?: readonly ImportProblem[];
};

/** A refusal as the error of a Result. */
export function refuse(
  code: Refusal["code"],
  subject = "",
  more: Pick<Refusal, "detail" | "problems"> = {},
): { readonly ok: false; readonly error: Refusal } {
  return { ok: false, error: { code, subject, ...more } };
}

/** The refusal for a write that the store did not take. */
export function refuseWrite(failure: WriteFailure, subject: string): { readonly ok: false; readonly error: Refusal } {
  return refuse(failure, subject);
}

/** How a password that cannot be set is refused. */
export const refusalOfPassword = {
  empty: "empty-password",
  "too-long": "too-long-password",
  "control-characters": "control-password",
  "prohibited-characters": "prohibited-password",
} as const satisfies Record<PasswordProblem, Refusal["code"]>;
