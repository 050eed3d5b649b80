import type { Clock } from "../lib/clock.ts";
import type { SmtpPorts } from "../smtp/ports.ts";
import type { Store } from "../store/ports.ts";

/**
 * Whether who logged in may still send: its account is there and enabled, and so is the app password it used. A store that
 * does not answer rejects.
 */
export function createStillAllowed(parts: {
  readonly store: Pick<Store, "directory" | "devices">;
  readonly clock: Pick<Clock, "now">;
}): SmtpPorts["stillAllowed"] {
  const { store, clock } = parts;
  return async ({ address, appPassword }) => {
    const account = await store.directory.account(address);
    if (!account?.enabled) return false;
    if (appPassword === undefined || appPassword === null) return true;
    const found = (await store.devices.appPasswords(account.id)).find(({ id }) => id === appPassword);
    return found !== undefined && (found.expires === null || found.expires > clock.now());
  };
}
