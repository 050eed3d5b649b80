import { existsSync } from "node:fs";
import path from "node:path";

/** The root of the checkout that is tested. */
export const repository = path.resolve(import.meta.dirname, "..", "..", "..");

/** The program, for the Node that the tests themselves run on: the pinned one. */
export const mainFile = path.join(repository, "src", "main.ts");

/** A folder of the measuring rig and recipes that lie beside the checkout; MAILKEEP_SHARED names another place. */
export function sharedFolder(name: string): string {
  const base = process.env["MAILKEEP_SHARED"] ?? path.resolve(repository, "..", "shared");
  const folder = path.join(base, name);
  if (existsSync(folder)) return folder;
  throw new Error(
    `${folder} is missing: this needs the measuring rig beside the checkout; set MAILKEEP_SHARED when it lies elsewhere`,
  );
}
