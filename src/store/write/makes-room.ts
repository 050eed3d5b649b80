import type { Unit } from "./unit.ts";
import type { RowVerb } from "./verbs.ts";

// An account that is misused can be stopped whatever the disk says, too; its row takes no more room than before.
const VERBS: ReadonlySet<RowVerb> = new Set<RowVerb>([
  "expunge",
  "erase",
  "forget",
  "removeAccount",
  "removeDomain",
  "removeAppPassword",
  "changeAccount",
]);

/** Whether a call may use what is kept back for a full disk: it makes room, now or in the end. */
export function makesRoom({ request }: Unit): boolean {
  return VERBS.has(request.verb);
}
