import type { Account } from "../model/account.ts";
import { type AddressParts, type Domain, parseAddress, splitAddress } from "../model/address.ts";
import type { MailboxId } from "../model/ids.ts";
import type { Directory } from "../store/ports.ts";

/** What names are looked up in. */
export type Names = Pick<Directory, "account" | "domains" | "hasDomain">;

/** An account and which of its maildrops a name means. */
export type Named = { readonly account: Account; readonly mailbox: MailboxId };

/**
 * Reads a name as a person types it at a login (INTERFACE "Names of people"): without a domain it is in the default
 * one, else in the only one there is. undefined: it is no address.
 */
export function readName(
  text: string,
  defaultDomain: Domain | undefined,
  names: Names,
): AddressParts | undefined | Promise<AddressParts | undefined> {
  if (text.includes("@")) return parts(text);
  if (defaultDomain !== undefined) return parts(`${text}@${defaultDomain}`);
  return names.domains().then(([only, ...others]) => {
    return only === undefined || others.length > 0 ? undefined : parts(`${text}@${only}`);
  });
}

/** Finds whom a name means: an exact account wins; else `user+tag` is `user`, and only `+junk` names Junk. */
export async function findNamed(name: AddressParts, names: Names): Promise<Named | undefined> {
  const exact = await names.account(name.address);
  if (exact) return { account: exact, mailbox: exact.inbox };
  const base = name.tag === "" ? undefined : await names.account(name.base);
  return base && { account: base, mailbox: name.tag === "junk" ? base.junk : base.inbox };
}

function parts(text: string): AddressParts | undefined {
  const address = parseAddress(text);
  return address.ok ? splitAddress(address.value) : undefined;
}
