import type { Result } from "../../lib/result.ts";
import { err, ok } from "../../lib/result.ts";
import type { AppPassword, AppPasswordId } from "../../model/device.ts";
import type { AccountId } from "../../model/ids.ts";
import type { AppPasswordUse, KnownPlace } from "../ports.ts";
import { MOST_APP_PASSWORDS } from "../ports.ts";
import { hasAccount } from "../sql/accounts.ts";
import { deleteAppPassword, findAppPasswords, insertAppPassword, noteUse } from "../sql/app-passwords.ts";
import { reserveIds } from "../sql/high-water.ts";
import { insertKnownPlace, trimKnownPlaces } from "../sql/known-places.ts";
import type { UnitContext } from "./unit.ts";

// Who moves about meets new networks daily; older ones are not worth keeping (Devices.noteKnownPlaces).
const MOST_PLACES = 64;

/** See Devices.addAppPassword. */
export async function addAppPassword(
  { sql }: UnitContext,
  given: Omit<AppPassword, "id" | "lastUsed" | "lastPeer">,
): Promise<Result<AppPassword, "exists" | "too-many" | "unknown">> {
  const { account, name } = given;
  if (!(await hasAccount(sql, account))) return err("unknown");
  const others = await findAppPasswords(sql, account);
  if (others.some((other) => other.name === name)) return err("exists");
  if (others.length >= MOST_APP_PASSWORDS) return err("too-many");
  const id = (await reserveIds(sql, "app_password", 1)) as AppPasswordId;
  await insertAppPassword(sql, id, given);
  return ok({ ...given, id, lastUsed: null, lastPeer: null });
}

/** See Devices.removeAppPassword. */
export async function removeAppPassword(
  { sql }: UnitContext,
  account: AccountId,
  name: string,
): Promise<Result<void, "unknown">> {
  return (await deleteAppPassword(sql, account, name)) ? ok(undefined) : err("unknown");
}

/** See Devices.noteUses. */
export async function noteUses({ sql }: UnitContext, uses: readonly AppPasswordUse[]): Promise<Result<void, never>> {
  for (const use of uses) await noteUse(sql, use);
  return ok(undefined);
}

/** See Devices.noteKnownPlaces. */
export async function noteKnownPlaces(
  { sql }: UnitContext,
  places: readonly KnownPlace[],
): Promise<Result<void, never>> {
  for (const place of places) await insertKnownPlace(sql, place);
  for (const account of new Set(places.map((place) => place.account))) {
    await trimKnownPlaces(sql, account, MOST_PLACES);
  }
  return ok(undefined);
}
