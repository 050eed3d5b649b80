import type { Result } from "../../lib/result.ts";
import { append } from "./append.ts";
import { addAppPassword, noteKnownPlaces, noteUses, removeAppPassword } from "./devices.ts";
import { addAccounts, addDomain, addScram, changeAccount, removeAccount, removeDomain } from "./directory.ts";
import { erase, forget, noteTime } from "./erase.ts";
import { expunge } from "./expunge.ts";
import { mend, noteScrub } from "./mend.ts";
import { note } from "./note-transfers.ts";
import { restore } from "./restore.ts";
import type { UnitContext } from "./unit.ts";
import type { RowRequest, RowVerb, WriteVerbs } from "./verbs.ts";

type Run<Given extends readonly unknown[]> = (
  context: UnitContext,
  ...given: Given
) => Promise<Result<unknown, unknown>>;

const verbs: { readonly [V in RowVerb]: Run<Parameters<WriteVerbs[V]>> } = {
  addDomain,
  removeDomain,
  addAccounts,
  changeAccount,
  addScram,
  removeAccount,
  addAppPassword,
  removeAppPassword,
  noteUses,
  noteKnownPlaces,
  note,
  append,
  expunge,
  restore,
  erase,
  forget,
  noteTime,
  mend,
  noteScrub,
};

/** Makes the rows of one call. */
export function runRows(context: UnitContext, request: RowRequest): Promise<Result<unknown, unknown>> {
  // A request goes with the arguments of its verb, which the types cannot follow through a table.
  const run = verbs[request.verb] as Run<readonly unknown[]>;
  return run(context, ...request.arguments);
}
