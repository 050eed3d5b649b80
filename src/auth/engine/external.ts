import type { Exchange, Mechanism, Step } from "./mechanism.ts";
import { decodePart } from "./part.ts";

/**
 * SASL EXTERNAL (RFC 4422 appendix A): the client's certificate says who it is, and its one message, which may be empty,
 * as whom it wants to act (rule TLS-07).
 */
export const external: Mechanism = {
  name: "EXTERNAL",
  serverFirst: false,
  clearSecret: false,
  usable: (policy, channel) => policy.clientCertificates && channel.clientCertificate,
  begin: (): Exchange => ({ step: judge }),
};

function judge(response: Uint8Array): Step {
  if (response.includes(0)) return { kind: "failed", reason: "malformed" };
  const user = decodePart(response);
  if (user === undefined) return { kind: "failed", reason: "refused" };
  return { kind: "credentials", credentials: { kind: "certificate", mechanism: "EXTERNAL", user } };
}
