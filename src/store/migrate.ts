import type { Result } from "../lib/result.ts";
import type { OpenRefusal } from "./open-refusal.ts";

/** Brings the store of a data folder to this program's schema, making it where there is none. 0: there was none. */
export function migrateStore(
  folder: string,
): Promise<Result<{ readonly from: number; readonly to: number }, OpenRefusal>> {
  throw new Error(`to be written: ${folder}`);
}
