import * as z from "zod";
import type { Penalty, PenaltyFilter } from "../auth/throttle.ts";
import { ok } from "../lib/result.ts";
import { parseAddress, splitAddress } from "../model/address.ts";
import { containsAny, parseCidr } from "../model/cidr.ts";
import { formatIp, parseIp } from "../model/ip-address.ts";
import { networkOf } from "../model/peer.ts";
import { operation } from "./operation.ts";
import { refuse } from "./refusal.ts";

/**
 * Lists who has to wait before the next login is judged. `running`: whether a server runs, which alone knows. People type
 * passwords where a name belongs: only accounts are named (P7).
 */
export const listPenalties = operation(z.strictObject({}), async (_, { services }) => {
  const { penalties, store } = services;
  const listed: Penalty[] = [];
  for (const penalty of penalties?.list() ?? []) {
    const name = parseAddress(penalty.account);
    const isOurs = penalty.account === "" || (name.ok && (await store.directory.account(name.value)) !== undefined);
    listed.push(isOurs ? penalty : { ...penalty, account: NOT_OURS });
  }
  return ok({ running: penalties !== undefined, penalties: listed });
});

// As the log says it (auth/login-report.ts).
const NOT_OURS = "(not a name of ours)";

/** Forgets failures: all, those at an account, or those from a network. */
export const clearPenalties = operation(
  z.strictObject({ which: z.string().min(1).max(1024).optional() }),
  async ({ which }, { services: { penalties, log } }) => {
    const filters = which === undefined ? [{}] : filtersOf(which, penalties?.list() ?? []);
    if (filters === undefined) return refuse("bad-network", which);
    if (penalties === undefined) return ok({ running: false, cleared: 0 });
    const cleared = filters.reduce((sum, filter) => sum + penalties.clear(filter), 0);
    log.info("admin.change", { action: "auth.penalties.clear", subject: which ?? "", detail: `${cleared} cleared` });
    return ok({ running: true, cleared });
  },
);

// A network is counted by its address, or its /64 (networkOf): a larger one is all of those in it that are known.
function filtersOf(which: string, known: readonly Penalty[]): readonly PenaltyFilter[] | undefined {
  if (which === "unix") return [{ network: which }];
  const ip = parseIp(which);
  if (ip !== undefined) return [{ network: networkOf({ address: formatIp(ip), port: 0 }) }];
  const cidr = parseCidr(which);
  if (cidr.ok) {
    const inside = known.filter(({ network }) => containsAny([cidr.value], network.replace(/\/\d+$/, "")));
    return [...new Set(inside.map(({ network }) => network))].map((network) => ({ network }));
  }
  // A slash is none of a login name that anybody has: it was meant for a network.
  if (which.includes("/")) return undefined;
  const address = parseAddress(which);
  return [{ account: address.ok ? splitAddress(address.value).base : which.toLowerCase() }];
}
