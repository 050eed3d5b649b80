import type { AppPassword, AppPasswordId, Scope } from "../../model/device.ts";
import { SCOPES } from "../../model/device.ts";
import type { AccountId } from "../../model/ids.ts";
import type { AppPasswordUse } from "../ports.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

type Row = Tables["app_password"];

/** The app passwords of an account, in order of name. */
export const appPasswordsOfAccount = statement("appPassword.ofAccount", (database, given: { account: AccountId }) =>
  database.selectFrom("app_password").selectAll().where("account", "=", given.account).orderBy("name"),
);
const insert = statement("appPassword.insert", (database, given: Omit<Row, "last_used" | "last_peer">) =>
  database.insertInto("app_password").values({
    id: given.id,
    account: given.account,
    name: given.name,
    digest: given.digest,
    scram: given.scram,
    scopes: given.scopes,
    no_delete: given.no_delete,
    expires: given.expires,
    created: given.created,
  }),
);
const remove = statement("appPassword.remove", (database, given: { account: AccountId; name: string }) =>
  database.deleteFrom("app_password").where("account", "=", given.account).where("name", "=", given.name),
);
const removeAll = statement("appPassword.removeAll", (database, given: { account: AccountId }) =>
  database.deleteFrom("app_password").where("account", "=", given.account),
);
const use = statement("appPassword.use", (database, given: AppPasswordUse) =>
  database
    .updateTable("app_password")
    .set({ last_used: given.at, last_peer: given.peer })
    .where("id", "=", given.id)
    .where((of) => of.or([of("last_used", "is", null), of("last_used", "<", given.at)])),
);

/** See Devices.appPasswords. */
export async function findAppPasswords(sql: Sql, account: AccountId): Promise<readonly AppPassword[]> {
  const rows = await sql.all(appPasswordsOfAccount, { account });
  return rows.map((row) => ({
    id: row.id,
    account: row.account,
    name: row.name,
    digest: row.digest,
    scram: row.scram,
    scopes: scopesOf(row.scopes),
    noDelete: row.no_delete === 1,
    expires: row.expires,
    created: row.created,
    lastUsed: row.last_used,
    lastPeer: row.last_peer,
  }));
}

/** Adds one that nobody has used; its account is there and has none of this name. */
export async function insertAppPassword(
  sql: Sql,
  id: AppPasswordId,
  given: Omit<AppPassword, "id" | "lastUsed" | "lastPeer">,
): Promise<void> {
  const { account, name, digest, scram, expires, created } = given;
  const row = { id, account, name, digest, scram, expires, created };
  await sql.run(insert, { ...row, scopes: given.scopes.join(","), no_delete: Number(given.noDelete) });
}

/** Removes one; false: there is none of this name. */
export async function deleteAppPassword(sql: Sql, account: AccountId, name: string): Promise<boolean> {
  return (await sql.run(remove, { account, name })) > 0;
}

/** Removes all of an account. */
export async function deleteAppPasswords(sql: Sql, account: AccountId): Promise<void> {
  await sql.run(removeAll, { account });
}

/** Notes that one was used, where that is news. */
export async function noteUse(sql: Sql, given: AppPasswordUse): Promise<void> {
  await sql.run(use, given);
}

// A scope that a later program knew is nothing that this one grants.
function scopesOf(text: string): readonly Scope[] {
  const words = text.split(",");
  return SCOPES.filter((scope) => words.includes(scope));
}
