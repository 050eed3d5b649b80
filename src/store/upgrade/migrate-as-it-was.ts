import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import { kyselyOver } from "../sql/dialect.ts";
import { migrationsAfter } from "../sql/migrations.ts";
import type { Picture } from "../sql/picture.ts";
import { takePicture } from "../sql/picture.ts";
import { writeSchemaVersion } from "../sql/schema-version.ts";
import type { RowsConnection } from "../sql/statement.ts";
import { transaction } from "../sql/statement.ts";

class Differs extends Error {}

/**
 * Brings a database from a version to this program's in one transaction, which is committed only when all that was there is
 * still there and the same. The error says what was not; then the database is as it was.
 */
export async function migrateAsItWas(
  connection: RowsConnection,
  version: number,
  before: Picture,
  progress: (done: number, total: number) => void,
): Promise<Result<void, string>> {
  const database = kyselyOver(connection);
  try {
    await transaction(connection, async () => {
      for (const [index, migration] of migrationsAfter(version).entries()) {
        await migration.up(database);
        await writeSchemaVersion(connection, version + index + 1);
      }
      const difference = differenceOf(before, await takePicture(connection, progress));
      if (difference !== undefined) throw new Differs(difference);
    });
    return ok(undefined);
  } catch (cause) {
    if (cause instanceof Differs) return err(cause.message);
    throw cause;
  }
}

function differenceOf(before: Picture, after: Picture): string | undefined {
  for (const what of ["accounts", "mailboxes", "messages", "octets", "removed", "bodies"] as const) {
    if (before[what] !== after[what]) return `${before[what]} ${what} became ${after[what]}`;
  }
  for (const what of ["messages", "octets", "nextUids"] as const) {
    const [one, other] = [before.counted[what], after.counted[what]];
    if (one !== other) return `the mailboxes' counters of ${what} became ${other} from ${one}`;
  }
  return before.digest === after.digest ? undefined : "the digest over all messages became another";
}
