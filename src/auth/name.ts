import { isAscii } from "node:buffer";
import type { Account } from "../model/account.ts";
import { type Address, type AddressParts, type Domain, parseAddress, splitAddress } from "../model/address.ts";
import type { MailboxId } from "../model/ids.ts";
import type { Directory } from "../store/ports.ts";
import { prepareToCompare } from "./prepare.ts";

/** What names are looked up in. */
export type Names = Pick<Directory, "account" | "domains" | "hasDomain">;

/** A name that was typed at a login. */
export type Name = {
  /** Of the prepared name (RFC 4013), so that all forms of one name are counted as one. */
  readonly parts: AddressParts;
  /** As it was typed, where that is another address: accounts are kept by NFC, which tells more names apart. */
  readonly typed: AddressParts | undefined;
  /** Whether its domain was typed, too; else it may be anything, a password as well. */
  readonly whole: boolean;
};

/** An account and which of its maildrops a name means. */
export type Named = { readonly account: Account; readonly mailbox: MailboxId };

/**
 * Reads a name as a person types it at a login (INTERFACE "Names of people"): without a domain it is in the default
 * one, else in the only one there is. undefined: it is no address, or one that SASLprep refuses (rule 6856-01).
 */
export function readName(
  text: string,
  defaultDomain: Domain | undefined,
  names: Pick<Names, "domains">,
): Name | undefined | Promise<Name | undefined> {
  const address = withDomain(text, defaultDomain, names);
  const whole = text.includes("@");
  return typeof address === "string"
    ? nameOf(address, whole)
    : address.then((found) => (found === undefined ? undefined : nameOf(found, whole)));
}

function withDomain(
  text: string,
  defaultDomain: Domain | undefined,
  names: Pick<Names, "domains">,
): string | Promise<string | undefined> {
  if (text.includes("@")) return text;
  if (defaultDomain !== undefined) return `${text}@${defaultDomain}`;
  return names.domains().then(([only, ...others]) => {
    return only === undefined || others.length > 0 ? undefined : `${text}@${only}`;
  });
}

/** Finds whom a name means: an exact account wins; else `user+tag` is `user`, and only `+junk` names Junk. */
export async function findNamed({ parts, typed }: Name, names: Pick<Names, "account">): Promise<Named | undefined> {
  return (typed && (await find(typed, names))) ?? (await find(parts, names));
}

/**
 * Finds whom a name means that a provider or an authority vouches for: exactly that account. `user+tag`, or a name that only
 * looks like another, may be somebody else there.
 */
export async function findVouched(
  text: string,
  defaultDomain: Domain | undefined,
  names: Pick<Names, "account" | "domains">,
): Promise<Named | undefined> {
  const whole = await withDomain(text, defaultDomain, names);
  const address = whole === undefined ? undefined : parseAddress(whole);
  if (whole === undefined || !address?.ok) return undefined;
  // NFC makes ASCII of some letters, such as the sign for kelvin.
  if (isAscii(localOf(address.value)) && !isAscii(localOf(whole))) return undefined;
  const account = await names.account(address.value);
  return account && { account, mailbox: account.inbox };
}

function localOf(address: string): Buffer {
  return Buffer.from(address.slice(0, address.lastIndexOf("@")));
}

/** People type passwords where a name belongs: only a whole address in a domain of ours is written down (P7). */
export async function printableName(
  name: Name | undefined,
  named: Named | undefined,
  names: Pick<Names, "hasDomain">,
): Promise<Address | undefined> {
  if (named) return named.account.address;
  return name?.whole === true && (await names.hasDomain(name.parts.domain)) ? name.parts.base : undefined;
}

/** The address, without a tag, by which an account's name is known when it comes prepared. */
export function preparedBase({ base }: AddressParts): Address {
  return nameOf(base, true)?.parts.base ?? base;
}

async function find(name: AddressParts, names: Pick<Names, "account">): Promise<Named | undefined> {
  const exact = await names.account(name.address);
  if (exact) return { account: exact, mailbox: exact.inbox };
  const base = name.tag === "" ? undefined : await names.account(name.base);
  return base && { account: base, mailbox: name.tag === "junk" ? base.junk : base.inbox };
}

function nameOf(text: string, whole: boolean): Name | undefined {
  // The local part alone: a domain has rules of its own, and Hebrew before a Latin domain would be mixed directions.
  const at = text.lastIndexOf("@");
  const local = prepareToCompare(text.slice(0, at));
  const parts = local === undefined ? undefined : partsOf(`${local}${text.slice(at)}`);
  if (parts === undefined || text.startsWith(`${local}@`)) return parts && { parts, typed: undefined, whole };
  const typed = partsOf(text);
  return { parts, typed: typed?.address === parts.address ? undefined : typed, whole };
}

function partsOf(text: string): AddressParts | undefined {
  const address = parseAddress(text);
  return address.ok ? splitAddress(address.value) : undefined;
}
