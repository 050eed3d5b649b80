import type { Address } from "../../model/address.ts";
import type { AccountId } from "../../model/ids.ts";
import type { KnownPlace } from "../ports.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";

/** Places with the addresses of their accounts, the newest first. */
export const knownPlacesSince = statement("knownPlace.since", (database, given: { since: number; limit: number }) =>
  database
    .selectFrom("known_place")
    .innerJoin("account", "account.id", "known_place.account")
    .select(["known_place.account", "known_place.place", "known_place.last", "account.address"])
    .where("known_place.last", ">=", given.since)
    .orderBy("known_place.last", "desc")
    .limit(given.limit),
);
// From the account's row, so that nothing is kept for one that is gone.
const note = statement("knownPlace.note", (database, given: KnownPlace) =>
  database
    .insertInto("known_place")
    .columns(["account", "place", "last"])
    .expression((of) =>
      of
        .selectFrom("account")
        .select(["id", of.val(given.place).as("place"), of.val(given.last).as("last")])
        .where("id", "=", given.account),
    )
    .onConflict((conflict) =>
      conflict
        .columns(["account", "place"])
        .doUpdateSet((of) => ({ last: of.ref("excluded.last") }))
        .whereRef("known_place.last", "<", "excluded.last"),
    ),
);
const count = statement("knownPlace.count", (database, given: { account: AccountId }) =>
  database
    .selectFrom("known_place")
    .select((of) => of.fn.countAll<number>().as("places"))
    .where("account", "=", given.account),
);
const trim = statement("knownPlace.trim", (database, given: { account: AccountId; most: number }) =>
  database
    .deleteFrom("known_place")
    .where("account", "=", given.account)
    .where("place", "in", (of) =>
      of
        .selectFrom("known_place as older")
        .select("older.place")
        .where("older.account", "=", given.account)
        .orderBy("older.last", "desc")
        .limit(-1)
        .offset(given.most),
    ),
);
const removeAll = statement("knownPlace.removeAll", (database, given: { account: AccountId }) =>
  database.deleteFrom("known_place").where("account", "=", given.account),
);
const forget = statement("knownPlace.forget", (database, given: { before: number; limit: number }) =>
  database
    .deleteFrom("known_place")
    .where((of) =>
      of(
        of.refTuple("account", "place"),
        "in",
        of
          .selectFrom("known_place as old")
          .select(["old.account", "old.place"])
          .where("old.last", "<", given.before)
          .orderBy("old.last")
          .limit(given.limit)
          .$asTuple("account", "place"),
      ),
    ),
);

/** See Devices.knownPlaces. */
export async function findKnownPlaces(
  sql: Sql,
  query: { readonly since: number; readonly limit: number },
): Promise<readonly (KnownPlace & { readonly address: Address })[]> {
  return sql.all(knownPlacesSince, { since: query.since, limit: query.limit });
}

/** Notes a place of an account that is there, where that is news. */
export async function insertKnownPlace(sql: Sql, given: KnownPlace): Promise<void> {
  await sql.run(note, given);
}

/** Forgets the places of an account beyond its newest. */
export async function trimKnownPlaces(sql: Sql, account: AccountId, most: number): Promise<void> {
  // Asked of every account of a batch, and hardly one has more.
  const { places } = (await sql.first(count, { account })) ?? { places: 0 };
  if (places > most) await sql.run(trim, { account, most });
}

/** Forgets all places of an account. */
export async function deleteKnownPlaces(sql: Sql, account: AccountId): Promise<void> {
  await sql.run(removeAll, { account });
}

/** Forgets one slice of the oldest places; gives how many. */
export async function forgetKnownPlaces(sql: Sql, before: number, limit: number): Promise<number> {
  return sql.run(forget, { before, limit });
}
