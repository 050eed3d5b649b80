import * as z from "zod";
import { deviceOf } from "../auth/device.ts";
import { ok } from "../lib/result.ts";
import type { Account } from "../model/account.ts";
import { SCOPES, type AppPassword, type Scope } from "../model/device.ts";
import { MOST_APP_PASSWORDS } from "../store/ports.ts";
import { withAccount } from "./find.ts";
import { operation } from "./operation.ts";
import { refuse, refuseWrite } from "./refusal.ts";
import type { AdminServices } from "./services.ts";

/** An app password as lists show it; times are ISO 8601. */
export type AppPasswordRow = {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly noDelete: boolean;
  readonly created: string;
  /** null: never. */
  readonly expires: string | null;
  readonly expired: boolean;
  /** Some seconds late; null: it was never used. */
  readonly lastUsed: string | null;
  readonly lastPeer: string | null;
};

const MOST_NAME_CHARACTERS = 64;
/** For how long a session that is cut is waited for. */
const CUT_WAIT_MS = 250;

const address = z.string().max(1024);
const named = z.strictObject({ address, name: z.string().max(1024) });

/** Adds a password for one device of a user, and gives it: this one time, it is kept nowhere. */
export const addAppPassword = operation(
  named.extend({
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .default([...SCOPES]),
    noDelete: z.boolean().default(false),
    /** Ms since 1970; null: never. */
    expires: z.int().nonnegative().nullable().default(null),
  }),
  ({ address: given, name: text, scopes, noDelete, expires }, { services }) =>
    withAccount(services, given, async (account) => {
      const name = text.normalize("NFC").trim();
      if (!isName(name)) return refuse("bad-device-name", text);
      const created = services.clock.now();
      if (expires !== null && expires <= created) return refuse("expired-already", name);
      const { text: secret, digest, scram } = await services.makeAppPassword(account.address);
      const kept = { account: account.id, name, digest, scram, noDelete, expires, created };
      const wanted = SCOPES.filter((scope) => scopes.includes(scope));
      const added = await services.store.devices.addAppPassword({ ...kept, scopes: wanted });
      if (!added.ok) return refuseDevice(added.error, account, name);
      audit(services, "app-password.add", account, name);
      return ok({ address: account.address, ...rowOf(added.value, created), password: secret.reveal() });
    }),
);

/** Lists a user's app passwords by name. */
export const listAppPasswords = operation(z.strictObject({ address }), (input, { services }) =>
  withAccount(services, input.address, async (account) => {
    const found = await services.store.devices.appPasswords(account.id);
    const now = services.clock.now();
    return ok({ address: account.address, appPasswords: found.map((one) => rowOf(one, now)) });
  }),
);

/** Takes an app password back: its device cannot log in any more, and the maildrop session that it has is cut. */
export const revokeAppPassword = operation(named, (input, { services }) =>
  withAccount(services, input.address, async (account) => {
    const name = input.name.normalize("NFC").trim();
    const found = await services.store.devices.appPasswords(account.id);
    const appPassword = found.find((one) => one.name === name);
    if (appPassword === undefined) return refuse("unknown-device", name, { detail: account.address });
    const removed = await services.store.devices.removeAppPassword(account.id, name);
    if (!removed.ok) return refuseDevice(removed.error, account, name);
    // After the removal: the device cannot come back in between.
    await cutSessions(services, account, appPassword);
    audit(services, "app-password.revoke", account, name);
    return ok({ address: account.address, name });
  }),
);

// A lease knows its device by its mark alone: whoever claims it for the same device may have it at once. One in UPDATE is
// let finish; what it removes was asked for before.
async function cutSessions({ store }: AdminServices, account: Account, appPassword: AppPassword): Promise<void> {
  const { mark } = deviceOf(account.id, appPassword, "");
  for (const mailbox of [account.inbox, account.junk]) {
    if (!store.leases.held(mailbox)) continue;
    const claim = { waitMs: CUT_WAIT_MS, takeOver: { mark, afterSeconds: 0 }, job: true } as const;
    const lease = await store.leases.acquire(mailbox, claim, () => undefined);
    if (lease.ok) lease.value.release();
  }
}

function isName(name: string): boolean {
  return name !== "" && name.length <= MOST_NAME_CHARACTERS && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name);
}

function refuseDevice(reason: "exists" | "too-many" | "unknown" | "full" | "failed", account: Account, name: string) {
  if (reason === "exists") return refuse("device-exists", name, { detail: account.address });
  if (reason === "unknown") return refuse("unknown-device", name, { detail: account.address });
  if (reason === "too-many") return refuse("too-many-devices", account.address, { detail: String(MOST_APP_PASSWORDS) });
  return refuseWrite(reason, account.address);
}

function audit({ log }: AdminServices, action: string, account: Account, detail: string): void {
  log.info("admin.change", { action, subject: account.address, detail });
}

function rowOf(one: AppPassword, now: number): AppPasswordRow {
  const { name, scopes, noDelete, created, expires, lastUsed, lastPeer } = one;
  const iso = (moment: number | null): string | null => (moment === null ? null : new Date(moment).toISOString());
  return {
    name,
    scopes,
    noDelete,
    created: new Date(created).toISOString(),
    expires: iso(expires),
    expired: expires !== null && expires <= now,
    lastUsed: iso(lastUsed),
    lastPeer,
  };
}
