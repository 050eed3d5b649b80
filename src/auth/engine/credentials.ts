import type { Secret } from "../../lib/secret.ts";

/** What a client proved or claims to know; what a mechanism ends with. */
export type Credentials = {
  readonly mechanism: string;
  /** The name as typed, decoded as UTF-8. */
  readonly user: string;
  readonly password: Secret;
};
