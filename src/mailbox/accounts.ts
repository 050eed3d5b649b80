import type { Result } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import type { Address } from "../model/address.ts";
import type { Store, WriteFailure } from "../store/ports.ts";

type Parts = Pick<Store, "directory" | "leases">;

/** Removes an account and all that must go with it: its sessions are cut, then its mailboxes and mail go in one step. */
export async function removeAccount(
  store: Parts,
  address: Address,
): Promise<Result<{ readonly messages: number }, "unknown" | WriteFailure>> {
  return store.directory.removeAccount(address);
}

/** Disables an account and cuts its sessions, or enables it again. */
export async function setEnabled(
  store: Parts,
  address: Address,
  enabled: boolean,
): Promise<Result<Account, "unknown" | WriteFailure>> {
  return store.directory.changeAccount(address, { enabled });
}
