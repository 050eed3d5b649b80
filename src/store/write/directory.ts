import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { Account } from "../../model/account.ts";
import type { Address, Domain } from "../../model/address.ts";
import { splitAddress } from "../../model/address.ts";
import { NO_ACTOR } from "../../model/history.ts";
import type { AccountId, MailboxId } from "../../model/ids.ts";
import type { AccountChange, NewAccount } from "../ports.ts";
import {
  deleteAccount,
  findAccount,
  hasAccount,
  insertAccount,
  pageOfAccounts,
  updateAccount,
  updateScramKeys,
} from "../sql/accounts.ts";
import { deleteAppPasswords } from "../sql/app-passwords.ts";
import { deleteDomain, hasDomain, insertDomain } from "../sql/domains.ts";
import { reserveIds } from "../sql/high-water.ts";
import { deleteKnownPlaces } from "../sql/known-places.ts";
import { deleteMailboxes, insertMailbox, snapshotOf } from "../sql/mailboxes.ts";
import { deleteRemovals, insertRemoval } from "../sql/removals.ts";
import { UidSet } from "../uid-set.ts";
import { eraseMailbox } from "./erase-mailbox.ts";
import { SLICE } from "./slices.ts";
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
    const row = { id, address, domain, secret, enabled, quota, created: now, scram: account.scram ?? null };
    await insertAccount(sql, row);
    await insertMailbox(sql, inbox, id, "INBOX");
    await insertMailbox(sql, junk, id, "Junk");
    added.push({ ...row, expireDays: null, loginDelaySeconds: null, language: null, inbox, junk });
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

/** See Directory.addScram. */
export async function addScram(
  { sql }: UnitContext,
  account: AccountId,
  secret: string,
  scram: Uint8Array,
): Promise<Result<void, "unknown" | "changed">> {
  if (await updateScramKeys(sql, account, secret, scram)) return ok(undefined);
  return err((await hasAccount(sql, account)) ? "changed" : "unknown");
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
  await deleteAppPasswords(sql, account.id);
  await deleteKnownPlaces(sql, account.id);
  await deleteMailboxes(sql, account.id);
  await deleteAccount(sql, account.id);
  return ok({ messages });
}

/** What is left after one slice goes later; nobody sees it any more, for its mailbox is gone. */
async function emptyMailbox(context: UnitContext, mailbox: MailboxId): Promise<number> {
  const { sql, now: at } = context;
  const messages = (await snapshotOf(sql, mailbox))?.messages ?? 0;
  await deleteRemovals(sql, mailbox);
  const all = { ...NO_ACTOR, mailbox, uids: UidSet.all(), at, kind: "account", keep: false } as const;
  if (!(await eraseMailbox(context, mailbox, SLICE))) await insertRemoval(sql, all);
  return messages;
}
