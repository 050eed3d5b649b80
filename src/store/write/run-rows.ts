import { unreachable } from "../../lib/assert.ts";
import type { Result } from "../../lib/result.ts";
import { append } from "./append.ts";
import { addAppPassword, noteKnownPlaces, noteUses, removeAppPassword } from "./devices.ts";
import { addAccounts, addDomain, addScram, changeAccount, removeAccount, removeDomain } from "./directory.ts";
import { erase, forget } from "./erase.ts";
import { expunge } from "./expunge.ts";
import { note } from "./note-transfers.ts";
import { restore } from "./restore.ts";
import type { UnitContext } from "./unit.ts";
import type { RowRequest } from "./verbs.ts";

/** Makes the rows of one call. */
export function runRows(context: UnitContext, request: RowRequest): Promise<Result<unknown, unknown>> {
  switch (request.verb) {
    case "append":
      return append(context, ...request.arguments);
    case "expunge":
      return expunge(context, ...request.arguments);
    case "restore":
      return restore(context, ...request.arguments);
    case "note":
      return note(context, ...request.arguments);
    case "erase":
      return erase(context, ...request.arguments);
    case "forget":
      return forget(context, ...request.arguments);
    default:
      return runDirectoryRows(context, request);
  }
}

type MailVerb = "append" | "expunge" | "restore" | "note" | "erase" | "forget";
type DirectoryRequest = Exclude<RowRequest, { readonly verb: MailVerb }>;

function runDirectoryRows(context: UnitContext, request: DirectoryRequest): Promise<Result<unknown, unknown>> {
  switch (request.verb) {
    case "addDomain":
      return addDomain(context, ...request.arguments);
    case "removeDomain":
      return removeDomain(context, ...request.arguments);
    case "addAccounts":
      return addAccounts(context, ...request.arguments);
    case "changeAccount":
      return changeAccount(context, ...request.arguments);
    case "addScram":
      return addScram(context, ...request.arguments);
    case "removeAccount":
      return removeAccount(context, ...request.arguments);
    case "addAppPassword":
      return addAppPassword(context, ...request.arguments);
    case "removeAppPassword":
      return removeAppPassword(context, ...request.arguments);
    case "noteUses":
      return noteUses(context, ...request.arguments);
    case "noteKnownPlaces":
      return noteKnownPlaces(context, ...request.arguments);
    default:
      return unreachable(request);
  }
}
