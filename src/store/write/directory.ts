import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { Account } from "../../model/account.ts";
import type { Address, Domain } from "../../model/address.ts";
import { splitAddress } from "../../model/address.ts";
import type { AccountId, MailboxId } from "../../model/ids.ts";
import type { AccountChange, NewAccount } from "../ports.ts";
import { deleteAccount, findAccount, insertAccount, pageOfAccounts, updateAccount } from "../sql/accounts.ts";
import { deleteDomain, hasDomain, insertDomain } from "../sql/domains.ts";
import { reserveIds } from "../sql/high-water.ts";
import { deleteMailboxes, insertMailbox, snapshotOf } from "../sql/mailboxes.ts";
import { insertRemoval, pendingRemovals } from "../sql/removals.ts";
import { messageUids } from "../sql/removed-rows.ts";
import { UidSet } from "../uid-set.ts";
import { MOST_AT_ONCE, removeMessages } from "./expunge.ts";
import type { UnitContext } from "./unit.ts";

/** See Directory.addDomain. */
export async function addDomain({ sql }: UnitContext, domain: Domain, now: number): Promise<Result<void, "exists">> {
  if (await hasDomain(sql, domain)) return err("exists");
  await insertDomain(sql, domain, now);
  return ok(undefined);
}

/** See Directory.removeDomain. */
export async function removeDomain({ sql }: UnitContext, domain: Domain): Promise<Result<void, "unknown" | "in-use">> {
  if (!(await hasDomain(sql, domain))) return err("unknown");
  const [used] = await pageOfAccounts(sql, { domain, limit: 1 });
  if (used !== undefined) return err("in-use");
  await deleteDomain(sql, domain);
  return ok(undefined);
}

/** See Directory.addAccounts; what was added before one that cannot be is undone with the unit. */
export async function addAccounts(
  { sql }: UnitContext,
  accounts: readonly NewAccount[],
  now: number,
): Promise<Result<readonly Account[], { readonly index: number; readonly reason: "exists" | "no-domain" }>> {
  const firstAccount = await reserveIds(sql, "account", accounts.length);
  const firstMailbox = await reserveIds(sql, "mailbox", accounts.length * 2);
  const domains = new Set<Domain>();
  const added: Account[] = [];
  for (const [index, account] of accounts.entries()) {
    const { domain } = splitAddress(account.address);
    if (!domains.has(domain) && !(await hasDomain(sql, domain))) return err({ index, reason: "no-domain" });
    domains.add(domain);
    if ((await findAccount(sql, account.address)) !== undefined) return err({ index, reason: "exists" });
    const id = (firstAccount + index) as AccountId;
    const inbox = (firstMailbox + index * 2) as MailboxId;
    const junk = (inbox + 1) as MailboxId;
    const { address, secret, enabled, quota } = account;
    const row = { id, address, domain, secret, enabled, quota, created: now };
    await insertAccount(sql, row);
    await insertMailbox(sql, inbox, id, "INBOX");
    await insertMailbox(sql, junk, id, "Junk");
    added.push({ ...row, inbox, junk });
  }
  return ok(added);
}

/** See Directory.changeAccount. */
export async function changeAccount(
  { sql }: UnitContext,
  address: Address,
  change: AccountChange,
): Promise<Result<Account, "unknown">> {
  const account = await findAccount(sql, address);
  return account === undefined ? err("unknown") : ok(await updateAccount(sql, account, change));
}

/** See Directory.removeAccount. */
export async function removeAccount(
  context: UnitContext,
  address: Address,
): Promise<Result<{ readonly messages: number }, "unknown">> {
  const { sql } = context;
  const account = await findAccount(sql, address);
  if (account === undefined) return err("unknown");
  let messages = 0;
  for (const mailbox of [account.inbox, account.junk]) messages += await emptyMailbox(context, mailbox);
  await deleteMailboxes(sql, account.id);
  await deleteAccount(sql, account.id);
  return ok({ messages });
}

async function emptyMailbox(context: UnitContext, mailbox: MailboxId): Promise<number> {
  const { sql } = context;
  const messages = (await snapshotOf(sql, mailbox))?.messages ?? 0;
  const pending = await pendingRemovals(sql, mailbox);
  if (messages > MOST_AT_ONCE || pending.length > 0) await insertRemoval(sql, mailbox, UidSet.all());
  else await removeMessages(context, mailbox, await messageUids(sql, mailbox, 0, MOST_AT_ONCE));
  return messages;
}
