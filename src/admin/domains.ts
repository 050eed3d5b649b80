import * as z from "zod";
import { ok } from "../lib/result.ts";
import { parseDomain } from "../model/address.ts";
import { operation } from "./operation.ts";
import { refuse, refuseWrite } from "./refusal.ts";

const named = z.strictObject({ name: z.string().max(1024) });

/** Takes a domain in: mail for its users is accepted from now on. */
export const addDomain = operation(named, async ({ name }, { services }) => {
  const domain = parseDomain(name);
  if (!domain.ok) return refuse("bad-domain", name);
  const added = await services.store.directory.addDomain(domain.value, services.clock.now());
  if (!added.ok) {
    return added.error === "exists" ? refuse("domain-exists", domain.value) : refuseWrite(added.error, domain.value);
  }
  services.log.info("admin.change", { action: "domain.add", subject: domain.value });
  return ok({ domain: domain.value });
});

/** Lists the domains. */
export const listDomains = operation(z.strictObject({}), async (_, { services }) => {
  return ok({ domains: await services.store.directory.domains() });
});

/** Removes a domain that has no users. */
export const removeDomain = operation(named, async ({ name }, { services }) => {
  const domain = parseDomain(name);
  if (!domain.ok) return refuse("bad-domain", name);
  const removed = await services.store.directory.removeDomain(domain.value);
  if (!removed.ok) {
    if (removed.error === "unknown") return refuse("unknown-domain", domain.value);
    return removed.error === "in-use"
      ? refuse("domain-in-use", domain.value)
      : refuseWrite(removed.error, domain.value);
  }
  services.log.info("admin.change", { action: "domain.remove", subject: domain.value });
  return ok({ domain: domain.value });
});
