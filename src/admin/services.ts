import type { ImportedSecret, SecretProblem } from "../auth/schemes/parse.ts";
import type { Clock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { Secret } from "../lib/secret.ts";
import type { Quota } from "../model/quota.ts";
import type { Log } from "../observe/log-port.ts";
import type { Store, WriteFailure } from "../store/ports.ts";

/** A certificate as an administrator sees it. Times are ms since 1970. */
export type CertificateInfo = {
  readonly names: readonly string[];
  readonly issuer: string;
  readonly from: number;
  readonly until: number;
  /** SHA-256 over the DER form, in hex. */
  readonly fingerprint: string;
  /** The file it was read from. */
  readonly file: string;
  readonly selfSigned: boolean;
};

/** What administration asks of `tls/`; handed in, so that `admin/` needs no import of it. */
export type CertificateServices = {
  /** The certificates that are served, or would be at the next start. The error says which file and why. */
  list(): Promise<Result<readonly CertificateInfo[], string>>;
  /** Makes a new self-signed certificate in the data folder and serves it where no other is configured. */
  selfSigned(names: readonly string[]): Promise<Result<CertificateInfo, string>>;
};

/** What the administrative operations work with: the running server's services, or those of a store opened alone. */
export type AdminServices = Readonly<{
  store: Pick<Store, "directory" | "mail" | "leases">;
  /** The quota of an account that has none of its own. */
  defaultQuota: () => Quota;
  hashPassword: (password: Secret) => Promise<Result<string, "empty" | "too-long" | "unavailable">>;
  parseSecret: (text: string) => Result<ImportedSecret, SecretProblem>;
  certificates: CertificateServices;
  /** Brings the store to this program's schema; from and to are equal when there was nothing to do. */
  migrate: () => Promise<Result<{ readonly from: number; readonly to: number }, WriteFailure>>;
  log: Log;
  clock: Clock;
}>;

/**
 * Why a store could not be opened without a server. "in-use": another process holds the folder's lock; "newer": a later
 * version made it; "absent": the folder cannot be made; "failed": anything else. `detail` says which file and why.
 */
export type OfflineFailure = {
  readonly code: "in-use" | "newer" | "absent" | "damaged" | "failed";
  readonly detail: string;
};

/** A store opened for one command, with no server running; closing it gives the folder's lock back. */
export type Offline = {
  readonly services: AdminServices;
  close(): Promise<void>;
};
