import { err, type Result } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address } from "../model/address.ts";
import type { MailboxId } from "../model/ids.ts";
import type { Lease, Store, WriteFailure } from "../store/ports.ts";

type Parts = Pick<Store, "directory" | "leases">;

/**
 * Removes an account and all that must go with it: its sessions are cut (unless one is in UPDATE, which is let finish),
 * then the account, its mailboxes and their messages go in one transaction.
 */
export async function removeAccount(
  store: Parts,
  address: Address,
): Promise<Result<{ readonly messages: number }, "unknown" | WriteFailure>> {
  const account = await store.directory.account(address);
  if (!account) return err("unknown");
  // Held until it is done: a session that opened in between would see its mail go away under it.
  return withLeases(store, account, () => store.directory.removeAccount(address));
}

/** Enables an account, or disables it and cuts its sessions. */
export async function setEnabled(
  store: Parts,
  address: Address,
  enabled: boolean,
): Promise<Result<Account, "unknown" | WriteFailure>> {
  const changed = await store.directory.changeAccount(address, { enabled });
  // After the change: whoever opens the maildrop now finds it disabled (mailbox/open.ts asks under the lease).
  if (changed.ok && !enabled) await withLeases(store, changed.value, () => Promise.resolve());
  return changed;
}

/**
 * Ends the session of a maildrop, unless it is in UPDATE, which is let finish; whoever comes next may open it. Tells whether
 * anybody was in session.
 */
export async function releaseMaildrop({ leases }: Pick<Store, "leases">, mailbox: MailboxId): Promise<boolean> {
  const held = leases.held(mailbox);
  const lease = await leases.revoke(mailbox);
  lease.release();
  return held;
}

async function withLeases<T>(store: Parts, account: Account, work: () => Promise<T>): Promise<T> {
  const leases: Lease[] = [];
  try {
    for (const mailbox of [account.inbox, account.junk]) leases.push(await store.leases.revoke(mailbox));
    return await work();
  } finally {
    for (const lease of leases) lease.release();
  }
}
