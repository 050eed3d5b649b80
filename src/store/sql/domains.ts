import type { Domain } from "../../model/address.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";

/** All domains, in order. */
export const listDomains = statement("domain.list", (database) =>
  database.selectFrom("domain").select("name").orderBy("name"),
);
/** One domain, if it is there. */
export const oneDomain = statement("domain.one", (database, given: { name: Domain }) =>
  database.selectFrom("domain").select("name").where("name", "=", given.name),
);
const insert = statement("domain.insert", (database, given: { name: Domain; created: number }) =>
  database.insertInto("domain").values({ name: given.name, created: given.created }),
);
const remove = statement("domain.remove", (database, given: { name: Domain }) =>
  database.deleteFrom("domain").where("name", "=", given.name),
);

/** Whether a domain is ours. */
export async function hasDomain(sql: Sql, name: Domain): Promise<boolean> {
  return (await sql.first(oneDomain, { name })) !== undefined;
}

/** Adds a domain that is not there yet. */
export async function insertDomain(sql: Sql, name: Domain, created: number): Promise<void> {
  await sql.run(insert, { name, created });
}

/** Removes a domain without accounts. */
export async function deleteDomain(sql: Sql, name: Domain): Promise<void> {
  await sql.run(remove, { name });
}
