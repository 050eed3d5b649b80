import type { Address, Domain } from "./address.ts";
import type { AccountId, MailboxId } from "./ids.ts";
import type { LanguageTag } from "./language.ts";
import type { Quota } from "./quota.ts";

/** The two maildrops of every account; more may come with IMAP. */
export type MailboxName = "INBOX" | "Junk";

/** A person or program that owns mail here. `secret` is the stored hash with its scheme, never a password. */
export type Account = {
  readonly id: AccountId;
  readonly address: Address;
  readonly domain: Domain;
  readonly secret: string;
  readonly enabled: boolean;
  /** What this account was given; null: the configured default holds. */
  readonly quota: {
    readonly octets: number | null;
    readonly messages: number | null;
  };
  readonly created: number;
  /** Sealed SCRAM keys (auth/scram-keys.ts); null: none yet, as of imported hashes. */
  readonly scram: Uint8Array | null;
  /** After so many days mail is removed, 0: never; null: the configured default holds. */
  readonly expireDays: number | null;
  /** Between two POP3 logins (RFC 2449 §6.5), 0: none; null: the configured default holds. */
  readonly loginDelaySeconds: number | null;
  /** Of what its owner reads; null: English until the client asks for another. */
  readonly language: LanguageTag | null;
  readonly inbox: MailboxId;
  readonly junk: MailboxId;
};

/** The quota that holds for an account: its own figures where it has some, else the defaults. */
export function quotaOf(account: Account, defaults: Quota): Quota {
  return {
    octets: account.quota.octets ?? defaults.octets,
    messages: account.quota.messages ?? defaults.messages,
  };
}
