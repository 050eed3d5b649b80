import type { Brand } from "../lib/brand.ts";
import type { AccountId } from "./ids.ts";

export type AppPasswordId = Brand<number, "AppPasswordId">;

/** What a credential may be used for. */
export const SCOPES = ["pop3", "smtp"] as const;
export type Scope = (typeof SCOPES)[number];

/** A password of one device, as it is kept: never the password itself. */
export type AppPassword = {
  readonly id: AppPasswordId;
  readonly account: AccountId;
  /** Unique in its account. */
  readonly name: string;
  /** The password's keyed hash. */
  readonly digest: Uint8Array;
  /** Its sealed SCRAM keys. */
  readonly scram: Uint8Array;
  readonly scopes: readonly Scope[];
  /** It may read and never remove. */
  readonly noDelete: boolean;
  /** Ms since 1970; null: never. */
  readonly expires: number | null;
  readonly created: number;
  /** Last use and the address it came from; some seconds late. */
  readonly lastUsed: number | null;
  readonly lastPeer: string | null;
};

/** What a session was opened with, for history, take-over and what it may do. */
export type Device = {
  /** null: the account's own password, token or certificate. */
  readonly appPassword: AppPasswordId | null;
  /** The app password's name; "" for the account's own credentials. */
  readonly name: string;
  readonly noDelete: boolean;
  /**
   * By which a device is known again when it comes back to its dead session: the same app password, or the same
   * credential from the same /24 or /64. A number of 32 bits, never 0.
   */
  readonly mark: number;
};
