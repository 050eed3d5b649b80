import type { Kysely } from "kysely";
import * as first from "./migrations/0001-first.ts";
import * as people from "./migrations/0002-people-and-their-mail.ts";
import * as rot from "./migrations/0003-rot.ts";

type Migration = { readonly up: (database: Kysely<unknown>) => Promise<void> };

// In order; one that was released is never changed, only followed.
const migrations: readonly Migration[] = [first, people, rot];

/** The schema that this program works with. */
export const SCHEMA_VERSION = migrations.length;

/** The steps from a version to this program's. */
export function migrationsAfter(version: number): readonly Migration[] {
  return migrations.slice(version);
}
