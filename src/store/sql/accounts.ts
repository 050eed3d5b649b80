import type { Kysely } from "kysely";
import type { Account } from "../../model/account.ts";
import type { Address, Domain } from "../../model/address.ts";
import type { AccountId, MailboxId } from "../../model/ids.ts";
import type { AccountChange, NewAccount } from "../ports.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

function accounts(database: Kysely<Tables>) {
  return database
    .selectFrom("account")
    .innerJoin("mailbox as inbox", (join) =>
      join.onRef("inbox.account", "=", "account.id").on("inbox.name", "=", "INBOX"),
    )
    .innerJoin("mailbox as junk", (join) => join.onRef("junk.account", "=", "account.id").on("junk.name", "=", "Junk"))
    .select([
      "account.id",
      "account.address",
      "account.domain",
      "account.secret",
      "account.enabled",
      "account.quota_octets",
      "account.quota_messages",
      "account.created",
      "account.scram",
      "account.expire_days",
      "account.login_delay_seconds",
      "account.language",
      "inbox.id as inbox",
      "junk.id as junk",
    ]);
}

/** One account by its address. */
export const accountByAddress = statement("account.byAddress", (database, given: { address: Address }) =>
  accounts(database).where("account.address", "=", given.address),
);
/** Accounts behind an address, in order. */
export const accountPage = statement("account.page", (database, given: { after: string; limit: number }) =>
  accounts(database)
    .where("account.address", ">", given.after as Address)
    .orderBy("account.address")
    .limit(given.limit),
);
/** Accounts of one domain behind an address, in order. */
export const accountPageOfDomain = statement(
  "account.pageOfDomain",
  (database, given: { domain: Domain; after: string; limit: number }) =>
    accounts(database)
      .where("account.domain", "=", given.domain)
      .where("account.address", ">", given.after as Address)
      .orderBy("account.address")
      .limit(given.limit),
);
const count = statement("account.count", (database) =>
  database.selectFrom("account").select((of) => of.fn.countAll<number>().as("accounts")),
);
const insert = statement(
  "account.insert",
  (database, given: Omit<Row, "expire_days" | "login_delay_seconds" | "language">) =>
    database.insertInto("account").values({
      id: given.id,
      address: given.address,
      domain: given.domain,
      secret: given.secret,
      enabled: given.enabled,
      quota_octets: given.quota_octets,
      quota_messages: given.quota_messages,
      created: given.created,
      scram: given.scram,
    }),
);
const update = statement("account.update", (database, given: Omit<Row, "address" | "domain" | "created">) =>
  database
    .updateTable("account")
    .set({
      secret: given.secret,
      enabled: given.enabled,
      quota_octets: given.quota_octets,
      quota_messages: given.quota_messages,
      scram: given.scram,
      expire_days: given.expire_days,
      login_delay_seconds: given.login_delay_seconds,
      language: given.language,
    })
    .where("id", "=", given.id),
);
const updateScram = statement(
  "account.updateScram",
  (database, given: { id: AccountId; secret: string; scram: Uint8Array }) =>
    database
      .updateTable("account")
      .set({ scram: given.scram })
      .where("id", "=", given.id)
      .where("secret", "=", given.secret),
);
const oneId = statement("account.oneId", (database, given: { id: AccountId }) =>
  database.selectFrom("account").select("id").where("id", "=", given.id),
);
const remove = statement("account.remove", (database, given: { id: AccountId }) =>
  database.deleteFrom("account").where("id", "=", given.id),
);

type Row = Tables["account"];
type Found = Row & { readonly inbox: MailboxId; readonly junk: MailboxId };

/** Looks an account up. */
export async function findAccount(sql: Sql, address: Address): Promise<Account | undefined> {
  const row = await sql.first(accountByAddress, { address });
  return row === undefined ? undefined : accountOf(row);
}

/** A page of accounts: see Directory.accounts. */
export async function pageOfAccounts(
  sql: Sql,
  query: { readonly domain?: Domain; readonly after?: Address; readonly limit: number },
): Promise<readonly Account[]> {
  const { domain, after = "", limit } = query;
  const rows =
    domain === undefined
      ? await sql.all(accountPage, { after, limit })
      : await sql.all(accountPageOfDomain, { domain, after, limit });
  return rows.map(accountOf);
}

/** How many accounts there are. */
export async function countAccounts(sql: Sql): Promise<number> {
  return (await sql.first(count, {}))?.accounts ?? 0;
}

/** Adds an account; its domain is there and its address is not. The mailboxes come after it. */
export async function insertAccount(
  sql: Sql,
  account: NewAccount & { readonly id: AccountId; readonly domain: Domain; readonly created: number },
): Promise<void> {
  await sql.run(insert, {
    id: account.id,
    address: account.address,
    domain: account.domain,
    secret: account.secret,
    enabled: Number(account.enabled),
    quota_octets: account.quota.octets,
    quota_messages: account.quota.messages,
    created: account.created,
    scram: account.scram ?? null,
  });
}

/** Changes an account and gives it as it is then. */
export async function updateAccount(sql: Sql, account: Account, change: AccountChange): Promise<Account> {
  // Keys of a secret that is gone would let the old password in.
  const keysGone = change.secret !== undefined && change.secret !== account.secret;
  const changed = { ...account, ...(keysGone ? { scram: null } : {}), ...change };
  await sql.run(update, {
    id: changed.id,
    secret: changed.secret,
    enabled: Number(changed.enabled),
    quota_octets: changed.quota.octets,
    quota_messages: changed.quota.messages,
    scram: changed.scram,
    expire_days: changed.expireDays,
    login_delay_seconds: changed.loginDelaySeconds,
    language: changed.language,
  });
  return changed;
}

/** Gives an account keys that go with this secret; false: it has another secret. */
export async function updateScramKeys(sql: Sql, id: AccountId, secret: string, scram: Uint8Array): Promise<boolean> {
  return (await sql.run(updateScram, { id, secret, scram })) > 0;
}

/** Whether there is such an account. */
export async function hasAccount(sql: Sql, id: AccountId): Promise<boolean> {
  return (await sql.first(oneId, { id })) !== undefined;
}

/** Removes an account whose mailboxes are gone. */
export async function deleteAccount(sql: Sql, id: AccountId): Promise<void> {
  await sql.run(remove, { id });
}

function accountOf(row: Found): Account {
  return {
    id: row.id,
    address: row.address,
    domain: row.domain,
    secret: row.secret,
    enabled: row.enabled === 1,
    quota: { octets: row.quota_octets, messages: row.quota_messages },
    created: row.created,
    scram: row.scram,
    expireDays: row.expire_days,
    loginDelaySeconds: row.login_delay_seconds,
    language: row.language,
    inbox: row.inbox,
    junk: row.junk,
  };
}
