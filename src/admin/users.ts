import * as z from "zod";
import type { MadeCredentials } from "../auth/credentials-made.ts";
import { ok, type Result } from "../lib/result.ts";
import { Secret } from "../lib/secret.ts";
import { removeAccount, setEnabled } from "../mailbox/accounts.ts";
import { quotaOf, type Account } from "../model/account.ts";
import { parseAddress, parseDomain, splitAddress, type Address } from "../model/address.ts";
import { LANGUAGES, type LanguageTag } from "../model/language.ts";
import type { Quota } from "../model/quota.ts";
import { withAccount } from "./find.ts";
import { operation, type Call } from "./operation.ts";
import { refusalOfPassword, refuse, refuseWrite, type Refusal } from "./refusal.ts";
import type { AdminServices } from "./services.ts";

/** A user as lists show it; times are ISO 8601. */
export type UserRow = {
  readonly address: string;
  readonly enabled: boolean;
  readonly created: string;
  /** The user's own figures; null: the default holds. */
  readonly quota: { readonly octets: number | null; readonly messages: number | null };
  readonly expireDays: number | null;
  readonly loginDelaySeconds: number | null;
  readonly language: LanguageTag | null;
};

/** A user with what it holds. */
export type UserDetails = UserRow & {
  /** The figures that hold. */
  readonly limits: Quota & { readonly expireDays: number; readonly loginDelaySeconds: number };
  /** Whether it can log in by SCRAM; an imported hash gets its keys at the first login with PLAIN. */
  readonly scram: boolean;
  readonly usage: { readonly octets: number; readonly messages: number };
  readonly inSession: boolean;
};

/** The most users or messages that one answer holds. */
export const PAGE = 1000;

/** The most that a user's own figures may be, as for the defaults. */
export const MOST_EXPIRE_DAYS = 36_500;
export const MOST_LOGIN_DELAY_SECONDS = 86_400;

const text = z.string().max(1024);
const addressed = z.strictObject({ address: text });
const password = z
  .string()
  .max(65_536)
  .transform((value) => new Secret(value));

/** Adds a user with a password. */
export const addUser = operation(z.strictObject({ address: text, password }), async (input, call) => {
  const { services } = call;
  const address = parseAddress(input.address);
  if (!address.ok) return refuse("bad-address", input.address);
  // Asked before the password is hashed; whether it still holds is decided by the insertion.
  const { domain } = splitAddress(address.value);
  if (!(await services.store.directory.hasDomain(domain))) return refuse("unknown-domain", domain);
  const made = await makeCredentials(services, address.value, input.password);
  if (!made.ok) return made;
  const quota = { octets: null, messages: null };
  const user = { address: address.value, ...made.value, enabled: true, quota };
  const added = await services.store.directory.addAccounts([user], services.clock.now());
  if (!added.ok) {
    if (typeof added.error === "string") return refuseWrite(added.error, address.value);
    return added.error.reason === "exists" ? refuse("user-exists", address.value) : refuse("unknown-domain", domain);
  }
  services.log.info("admin.change", { action: "user.add", subject: address.value });
  return ok({ address: address.value });
});

/** Shows one user. */
export const showUser = operation(addressed, (input, { services }) =>
  withAccount(services, input.address, async (account) => ok(await detailsOf(services, account))),
);

/** Lists users by address, a page at a time: `next` is the `after` of the page that follows, null at the end. */
export const listUsers = operation(
  z.strictObject({ domain: text.optional(), after: text.optional() }),
  async (input, { services }) => {
    const domain = input.domain === undefined ? undefined : parseDomain(input.domain);
    if (domain !== undefined && !domain.ok) return refuse("bad-domain", input.domain);
    const { directory } = services.store;
    if (domain !== undefined && !(await directory.hasDomain(domain.value)))
      return refuse("unknown-domain", domain.value);
    const accounts = await directory.accounts({
      ...(domain === undefined ? {} : { domain: domain.value }),
      ...(input.after === undefined ? {} : { after: input.after as Address }),
      limit: PAGE,
    });
    const next = accounts.length < PAGE ? null : (accounts.at(-1)?.address ?? null);
    return ok({ users: accounts.map(rowOf), next });
  },
);

/** Removes a user with all its mail; its sessions are cut. */
export const removeUser = operation(addressed, async (input, { services }) => {
  const address = parseAddress(input.address);
  if (!address.ok) return refuse("bad-address", input.address);
  const removed = await removeAccount(services.store, address.value);
  if (!removed.ok) return refuseChange(removed.error, address.value);
  services.log.info("admin.change", { action: "user.remove", subject: address.value });
  return ok({ address: address.value, messages: removed.value.messages });
});

/** Sets a user's password; the old one is refused from now on. */
export const setPassword = operation(z.strictObject({ address: text, password }), (input, { services }) =>
  withAccount(services, input.address, async ({ address }) => {
    const made = await makeCredentials(services, address, input.password);
    if (!made.ok) return made;
    return change(services, address, { action: "user.password" }, () =>
      services.store.directory.changeAccount(address, made.value),
    );
  }),
);

/** Lets a user log in and get mail again. */
export const enableUser = operation(addressed, (input, call) => enable(input.address, true, call));

/** Keeps a user from logging in and from getting mail; its sessions are cut. */
export const disableUser = operation(addressed, (input, call) => enable(input.address, false, call));

/** Sets what holds for a user; null: the default again, absent: as it was. */
export const setUser = operation(
  z.strictObject({
    address: text,
    octets: z.int().positive().nullable().optional(),
    messages: z.int().positive().nullable().optional(),
    expireDays: z.int().min(0).max(MOST_EXPIRE_DAYS).nullable().optional(),
    loginDelaySeconds: z.int().min(0).max(MOST_LOGIN_DELAY_SECONDS).nullable().optional(),
    language: z.enum(LANGUAGES).nullable().optional(),
  }),
  ({ address: given, octets, messages, ...own }, { services }) =>
    withAccount(services, given, async ({ address, quota: before }) => {
      const quota = {
        octets: octets === undefined ? before.octets : octets,
        messages: messages === undefined ? before.messages : messages,
      };
      const set = Object.entries({ octets, messages, ...own }).filter(([, value]) => value !== undefined);
      const detail = set.map(([key, value]) => `${key}=${value ?? "default"}`).join(" ");
      const wanted = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
      return change(services, address, { action: "user.set", detail }, () =>
        services.store.directory.changeAccount(address, { quota, ...wanted }),
      );
    }),
);

async function enable(given: string, enabled: boolean, { services }: Call): Promise<Result<UserRow, Refusal>> {
  const address = parseAddress(given);
  if (!address.ok) return refuse("bad-address", given);
  const action = enabled ? "user.enable" : "user.disable";
  return change(services, address.value, { action }, () => setEnabled(services.store, address.value, enabled));
}

async function change(
  services: AdminServices,
  address: Address,
  what: { readonly action: string; readonly detail?: string },
  write: () => Promise<Result<Account, "unknown" | "full" | "failed">>,
): Promise<Result<UserRow, Refusal>> {
  const changed = await write();
  if (!changed.ok) return refuseChange(changed.error, address);
  services.log.info("admin.change", { ...what, subject: address });
  return ok(rowOf(changed.value));
}

function refuseChange(reason: "unknown" | "full" | "failed", address: Address) {
  return reason === "unknown" ? refuse("unknown-user", address) : refuseWrite(reason, address);
}

async function makeCredentials(
  services: AdminServices,
  address: Address,
  plain: Secret,
): Promise<Result<MadeCredentials, Refusal>> {
  const made = await services.makeCredentials(address, plain);
  if (made.ok) return made;
  return made.error === "unavailable" ? refuse("busy", address) : refuse(refusalOfPassword[made.error], address);
}

function rowOf(account: Account): UserRow {
  const { address, enabled, created, quota, expireDays, loginDelaySeconds, language } = account;
  return { address, enabled, created: new Date(created).toISOString(), quota, expireDays, loginDelaySeconds, language };
}

async function detailsOf(services: AdminServices, account: Account): Promise<UserDetails> {
  const { octets, messages } = await services.store.mail.usage(account.id);
  const { leases } = services.store;
  const defaults = services.defaults();
  return {
    ...rowOf(account),
    limits: {
      ...quotaOf(account, services.defaultQuota()),
      expireDays: account.expireDays ?? defaults.expireDays,
      loginDelaySeconds: account.loginDelaySeconds ?? defaults.loginDelaySeconds,
    },
    scram: account.scram !== null,
    usage: { octets, messages },
    inSession: leases.held(account.inbox) || leases.held(account.junk),
  };
}
