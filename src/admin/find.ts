import type { Result } from "../lib/result.ts";
import type { Account, MailboxName } from "../model/account.ts";
import { parseAddress, splitAddress } from "../model/address.ts";
import type { MailboxId } from "../model/ids.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { AdminServices } from "./services.ts";

/** A maildrop that an address names. */
export type Found = { readonly account: Account; readonly name: MailboxName; readonly mailbox: MailboxId };

/** Finds the account that an address names exactly. */
export async function withAccount<T>(
  services: AdminServices,
  given: string,
  then: (account: Account) => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> {
  const address = parseAddress(given);
  if (!address.ok) return refuse("bad-address", given);
  const account = await services.store.directory.account(address.value);
  return account === undefined ? refuse("unknown-user", address.value) : then(account);
}

/**
 * Finds the maildrop that an address names, as at login (INTERFACE "Names of people"): an exact account wins, else the tag
 * is taken off, and +junk names Junk.
 */
export async function withMaildrop<T>(
  services: AdminServices,
  given: string,
  then: (found: Found) => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> {
  const address = parseAddress(given);
  if (!address.ok) return refuse("bad-address", given);
  const { directory } = services.store;
  const exact = await directory.account(address.value);
  if (exact !== undefined) return then({ account: exact, name: "INBOX", mailbox: exact.inbox });
  const { base, tag } = splitAddress(address.value);
  const account = tag === "" ? undefined : await directory.account(base);
  if (account === undefined) return refuse("unknown-user", address.value);
  return then(
    tag === "junk"
      ? { account, name: "Junk", mailbox: account.junk }
      : { account, name: "INBOX", mailbox: account.inbox },
  );
}
