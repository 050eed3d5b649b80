import { err, ok, type Result } from "../lib/result.ts";
import { type Account, quotaOf } from "../model/account.ts";
import { type Address, parseAddress, parseDomain, splitAddress } from "../model/address.ts";
import type { Recipient } from "../model/envelope.ts";
import { fits, type Quota } from "../model/quota.ts";
import type { RecipientRefusal, SmtpPorts } from "../smtp/ports.ts";
import type { Directory, Mail } from "../store/ports.ts";

/** What the decision needs of the house. */
export type RecipientParts = Readonly<{
  directory: Pick<Directory, "account" | "hasDomain">;
  mail: Pick<Mail, "usage">;
  /** The account that takes the mail to `postmaster` of every domain of ours (RFC 5321 §4.5.1). */
  postmaster: Address | undefined;
  /** What an account may hold that was given no figures of its own. */
  quota: Quota;
}>;

type Decision = Result<Recipient, RecipientRefusal>;
type Found = { readonly account: Account; readonly junk: boolean };

/** Decides RCPT (INTERFACE "Names of people"): which mailbox of which account takes the mail, or why none does. */
export function createRecipients(parts: RecipientParts): SmtpPorts["recipient"] {
  return async (forwardPath, octets) => {
    // RFC 5321 §4.5.1: `postmaster` without a domain must be accepted too.
    if (forwardPath.toLowerCase() === "postmaster") {
      return decide(parts, forwardPath, octets, await postmasterOf(parts));
    }
    const address = parseAddress(forwardPath);
    if (!address.ok) return err(await whyNoAddress(parts, forwardPath));
    return decide(parts, forwardPath, octets, await find(parts, address.value));
  };
}

async function decide(
  parts: RecipientParts,
  asGiven: string,
  octets: number,
  found: Found | RecipientRefusal,
): Promise<Decision> {
  if (typeof found === "string") return err(found);
  const { account, junk } = found;
  if (!account.enabled) return err("disabled");
  const quota = quotaOf(account, parts.quota);
  if (!fits(await parts.mail.usage(account.id), quota, octets)) return err("over-quota");
  const mailbox = junk ? account.junk : account.inbox;
  return ok({ asGiven, address: account.address, account: account.id, mailbox, junk: account.junk, quota });
}

/** An exact account wins; else `user+tag` is `user`, and only `+junk` names Junk; else `postmaster`, in a domain of ours. */
async function find(parts: RecipientParts, address: Address): Promise<Found | RecipientRefusal> {
  const exact = await parts.directory.account(address);
  if (exact) return { account: exact, junk: false };
  const { base, domain, tag } = splitAddress(address);
  if (base !== address) {
    const owner = await parts.directory.account(base);
    if (owner) return { account: owner, junk: tag === "junk" };
  }
  if (!(await parts.directory.hasDomain(domain))) return "elsewhere";
  return base === `postmaster@${domain}` ? postmasterOf(parts) : "unknown";
}

/** A postmaster that the operator named but did not make (or disabled) is an outage: the mail is worth another try. */
async function postmasterOf(parts: RecipientParts): Promise<Found | RecipientRefusal> {
  if (parts.postmaster === undefined) return "unknown";
  const account = await parts.directory.account(parts.postmaster);
  return account?.enabled ? { account, junk: false } : "unavailable";
}

/** A path that names no account here may still name one elsewhere: an address literal, a quoted local part. */
async function whyNoAddress(parts: RecipientParts, path: string): Promise<RecipientRefusal> {
  const at = path.lastIndexOf("@");
  if (at < 1) return "bad-address";
  if (/^\[.*\]$/.test(path.slice(at + 1))) return "elsewhere";
  const domain = parseDomain(path.slice(at + 1));
  if (!domain.ok) return "bad-address";
  return (await parts.directory.hasDomain(domain.value)) ? "unknown" : "elsewhere";
}
