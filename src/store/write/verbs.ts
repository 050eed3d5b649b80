import type { Directory, Mail, Upkeep } from "../ports.ts";

/** What changes a store; all of it is done by the one writer. */
export type WriteVerbs = Pick<
  Directory,
  "addDomain" | "removeDomain" | "addAccounts" | "changeAccount" | "removeAccount"
> &
  Pick<Mail, "append" | "expunge"> &
  Upkeep;

/** Those that are rows in a transaction; the others take a turn of their own. */
export type RowVerb = Exclude<keyof WriteVerbs, keyof Upkeep>;

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
    removeAccount: call("removeAccount"),
    append: call("append"),
    expunge: call("expunge"),
    reclaim: call("reclaim"),
    state: call("state"),
  };
}

/** Whether a request is rows in a transaction. */
export function isRowRequest(request: Request): request is RowRequest {
  return request.verb !== "reclaim" && request.verb !== "state";
}
