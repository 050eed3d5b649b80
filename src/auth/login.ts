import type { Result } from "../lib/result.ts";
import type { Clock } from "../lib/clock.ts";
import type { Address, Domain } from "../model/address.ts";
import type { AccountId, MailboxId } from "../model/ids.ts";
import type { Peer } from "../model/peer.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import type { Directory } from "../store/ports.ts";
import type { Credentials } from "./engine/credentials.ts";
import type { VerificationCache } from "./cache.ts";
import type { Passwords } from "./password.ts";
import type { Throttle } from "./throttle.ts";

/** Who logged in and which of the account's maildrops the name meant (INTERFACE "Names of people"). */
export type Identity = {
  readonly account: AccountId;
  readonly address: Address;
  readonly mailbox: MailboxId;
};

/** "refused" is P10's one word; "throttled" was not judged; "unavailable" is an outage, never a wrong password. */
export type LoginRefusal = "refused" | "throttled" | "unavailable";

/** Where a login comes in: for the log only. `tls` is the version, or "" without TLS. */
export type LoginDoor = { readonly protocol: "pop3" | "smtp" | "submission" | "lmtp"; readonly tls: string };

export type Login = (credentials: Credentials, peer: Peer, door: LoginDoor) => Promise<Result<Identity, LoginRefusal>>;

export type LoginOptions = {
  readonly directory: Pick<Directory, "account" | "domains" | "hasDomain">;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly cache: VerificationCache;
  /** `auth.default_domain`; undefined: the only domain there is. Asked at each login, so that a reload takes hold. */
  readonly defaultDomain: () => Domain | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Ends the waits of refused logins at shutdown. */
  readonly stopping: AbortSignal;
};

/** Makes the one function that decides a login, whatever the protocol and the mechanism. */
export function createLogin(options: LoginOptions): Login {
  throw new Error(`not built yet: ${Object.keys(options).length}`);
}
