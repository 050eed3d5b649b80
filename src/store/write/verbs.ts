import type { Scrubbing } from "../scrub/ports.ts";
import type { Devices, Directory, History, Mail, Upkeep } from "../ports.ts";

/** What changes a store; all of it is done by the one writer. */
export type WriteVerbs = Pick<
  Directory,
  "addDomain" | "removeDomain" | "addAccounts" | "changeAccount" | "addScram" | "removeAccount"
> &
  Pick<Devices, "addAppPassword" | "removeAppPassword" | "noteUses" | "noteKnownPlaces"> &
  Pick<History, "note"> &
  Pick<Mail, "append" | "expunge" | "restore"> &
  Pick<Upkeep, "erase" | "forget" | "noteTime" | SoloVerb> &
  Pick<Scrubbing, "mend" | "noteScrub">;

/** Those that take a turn of their own. */
type SoloVerb = "reclaim" | "state";

/** Those that are rows in a transaction. */
export type RowVerb = Exclude<keyof WriteVerbs, SoloVerb>;

type RequestFor<V extends keyof WriteVerbs> = {
  [N in V]: { readonly verb: N; readonly arguments: Parameters<WriteVerbs[N]> };
}[V];

/** A call of one of them as data, as it goes to the store thread. */
export type Request = RequestFor<keyof WriteVerbs>;
export type RowRequest = RequestFor<RowVerb>;

/** What a call comes to. */
export type Outcome<V extends keyof WriteVerbs> = Awaited<ReturnType<WriteVerbs[V]>>;

/** The verbs as calls, each handed over as a request. */
export function writeVerbs(submit: (request: Request) => Promise<unknown>): WriteVerbs {
  const call =
    <V extends keyof WriteVerbs>(verb: V) =>
    (...given: Parameters<WriteVerbs[V]>): Promise<Outcome<V>> =>
      submit({ verb, arguments: given } as Request) as Promise<Outcome<V>>;
  return {
    addDomain: call("addDomain"),
    removeDomain: call("removeDomain"),
    addAccounts: call("addAccounts"),
    changeAccount: call("changeAccount"),
    addScram: call("addScram"),
    removeAccount: call("removeAccount"),
    addAppPassword: call("addAppPassword"),
    removeAppPassword: call("removeAppPassword"),
    noteUses: call("noteUses"),
    noteKnownPlaces: call("noteKnownPlaces"),
    note: call("note"),
    append: call("append"),
    expunge: call("expunge"),
    restore: call("restore"),
    erase: call("erase"),
    forget: call("forget"),
    noteTime: call("noteTime"),
    mend: call("mend"),
    noteScrub: call("noteScrub"),
    reclaim: call("reclaim"),
    state: call("state"),
  };
}

/** Whether a request is rows in a transaction. */
export function isRowRequest(request: Request): request is RowRequest {
  return request.verb !== "reclaim" && request.verb !== "state";
}
