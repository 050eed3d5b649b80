import type { DirectorySummary } from "../ports.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";

/**
 * What is announced of all enabled accounts, each by a seek in an index of its own (migrations/0002), because every
 * protocol thread asks twice a second.
 */
export const directorySummary = statement("account.summary", (database) =>
  database.selectNoFrom((of) => {
    const enabled = of.selectFrom("account").where("enabled", "=", 1);
    return [
      of.exists(enabled.select("id").where("scram", "is", null)).as("without_scram"),
      of.exists(enabled.select("id").where("expire_days", "=", 0)).as("some_never"),
      enabled
        .where("expire_days", ">", 0)
        .select((row) => row.fn.min<number | null>("expire_days").as("shortest"))
        .as("shortest_expire_days"),
      enabled
        .where("login_delay_seconds", ">=", 0)
        .select((row) => row.fn.max<number | null>("login_delay_seconds").as("longest"))
        .as("longest_login_delay"),
    ];
  }),
);

/** See Directory.summary. */
export async function summaryOf(sql: Sql): Promise<DirectorySummary> {
  const row = await sql.first(directorySummary, {});
  return {
    everyoneHasScram: !row?.without_scram,
    shortestExpireDays: row?.shortest_expire_days ?? (row?.some_never ? 0 : null),
    longestLoginDelaySeconds: row?.longest_login_delay ?? null,
  };
}
