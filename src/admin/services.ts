import type { CredentialMaker } from "../auth/credentials-made.ts";
import type { Penalty, PenaltyFilter } from "../auth/throttle.ts";
import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { Quota } from "../model/quota.ts";
import type { Log } from "../observe/log-port.ts";
import type { LockRefusal } from "../store/lock.ts";
import type { OpenRefusal } from "../store/open-refusal.ts";
import type { Store } from "../store/ports.ts";
import type { Scrubber } from "../store/scrub/scrubber.ts";

/** A certificate and its key as an administrator sees them; facts are missing where the files cannot be used. */
export type CertificateStatus = {
  readonly certificate: string;
  readonly key: string;
  readonly facts?: {
    readonly names: readonly string[];
    readonly issuer: string;
    readonly selfSigned: boolean;
    /** Milliseconds since 1970, as `notAfter`. */
    readonly notBefore: number;
    readonly notAfter: number;
    readonly fingerprint: string;
  };
  readonly daysLeft?: number;
  /** Why it cannot be used, or what clients will complain about. */
  readonly problem?: string;
};

/** What administration asks of `tls/`; handed in, so that `admin/` needs no import of it. */
export type CertificateServices = {
  /** What is served now, or would be at the next start. */
  list(): Promise<readonly CertificateStatus[]>;
  /**
   * Makes a new self-signed certificate in the data folder; a running server takes it up at once where no other is
   * configured. The error says why it could not be written.
   */
  selfSigned(): Promise<Result<CertificateStatus, string>>;
};

/** What holds for accounts that have no figure of their own, and for removed mail. */
export type AccountDefaults = {
  readonly expireDays: number;
  readonly loginDelaySeconds: number;
  readonly undeleteDays: number;
};

/** What the running server knows of guessers. */
export type PenaltyServices = {
  /** What has to wait now, the longest wait first. */
  list(): readonly Penalty[];
  /** Forgets failures in every thread, and gives how many waits that ended. */
  clear(filter: PenaltyFilter): number;
};

/** What the administrative operations work with: the running server's services, or those of a store opened alone. */
export type AdminServices = Readonly<{
  store: Pick<Store, "directory" | "devices" | "history" | "mail" | "leases">;
  /** The quota of an account that has none of its own. */
  defaultQuota: () => Quota;
  defaults: () => AccountDefaults;
  makeCredentials: CredentialMaker["makeCredentials"];
  makeAppPassword: CredentialMaker["makeAppPassword"];
  /** undefined: no server runs, so nobody waits. */
  penalties?: PenaltyServices | undefined;
  certificates: CertificateServices;
  scrubber: Scrubber;
  /** The schema that was found when the store was opened, and the one it has now: opening migrates. 0: it was made. */
  schema: { readonly from: number; readonly to: number };
  log: Log;
  clock: Clock;
}>;

/** Why a store could not be opened without a server; `reason` is a sentence for the operator. */
export type OfflineRefusal = {
  readonly kind: LockRefusal | OpenRefusal["kind"];
  readonly reason: string;
};

/** A store opened for one command, with no server running; closing it gives the folder's lock back. */
export type Offline = {
  readonly services: AdminServices;
  close(): Promise<void>;
};
