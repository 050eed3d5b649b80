import type { MechanismPolicy } from "../../../auth/engine/channel.ts";

/** PLAIN and LOGIN alone, and those with TLS only: what a policy of a test begins with. */
export const PASSWORDS_ONLY: MechanismPolicy = {
  allowCleartext: false,
  scram: false,
  scramSha1: false,
  oauth: false,
  clientCertificates: false,
};
