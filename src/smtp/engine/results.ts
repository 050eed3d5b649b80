import type { Address } from "../../model/address.ts";
import type { AppPasswordId } from "../../model/device.ts";

/** Who logged in, and by what: `appPassword` is absent where it was the account's own password, token or certificate. */
export type Submitter = {
  readonly address: Address;
  readonly appPassword?: AppPasswordId | null;
  /** Of SCRAM. */
  readonly serverSignature?: Uint8Array;
};

/** Why RCPT refuses: "elsewhere" is a domain that is not ours (no relay, and no outbox yet). */
export type RecipientRefusal = "bad-address" | "elsewhere" | "unknown" | "disabled" | "over-quota" | "unavailable";

/** Why a login failed; the words are POP3's (see pop3/ports.ts). "crowded": the account has too many sessions. */
export type LoginRefusal = "refused" | "throttled" | "unavailable" | "crowded";

/** What became of a message for one recipient. "loop": more than 100 Received fields. */
export type Outcome = "stored" | "over-quota" | "no-mailbox" | "loop" | "full" | "failed";
