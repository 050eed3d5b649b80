import * as z from "zod";
import { ok } from "../lib/result.ts";
import { operation } from "./operation.ts";
import { refuse } from "./refusal.ts";

const nothing = z.strictObject({});

/** Says from which schema to which the store was brought when it was opened. */
export const migrateStore = operation(nothing, async (_, { services }) => ok(services.schema));

/** Lists the certificates. */
export const listCertificates = operation(nothing, async (_, { services }) =>
  ok({ certificates: await services.certificates.list() }),
);

/** Makes a new self-signed certificate. */
export const makeSelfSigned = operation(nothing, async (_, { services }) => {
  const made = await services.certificates.selfSigned();
  if (!made.ok) return refuse("certificate", "", { detail: made.error });
  services.log.info("admin.change", { action: "certificate.self-signed", subject: made.value.certificate });
  return ok(made.value);
});
