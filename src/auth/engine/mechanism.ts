import type { Credentials } from "./credentials.ts";

/** What one message of a SASL exchange leads to (RFC 4422 §3). */
export type Step =
  | { readonly kind: "challenge"; readonly octets: Uint8Array }
  | { readonly kind: "credentials"; readonly credentials: Credentials }
  /** The exchange is over and failed: "malformed" is a syntax error (501, -ERR), no credential was judged. */
  | { readonly kind: "failed"; readonly reason: "malformed" | "refused" };

/** One exchange, from its first message to its end. */
export type Exchange = {
  /** The client's next message, decoded from base64; where the server speaks first, an empty one begins. */
  step(response: Uint8Array): Step;
};

/** A SASL mechanism (RFC 4422): one file and one row in `mechanisms`. */
export type Mechanism = {
  readonly name: string;
  /** Whether the server speaks first: then an initial response is an error (RFC 5034 §4, RFC 4954 §4). */
  readonly serverFirst: boolean;
  /** Whether an initial response is taken all the same, because clients in the field send one. */
  readonly toleratesInitial?: boolean;
  /** Whether the secret itself crosses the wire: then it needs TLS (rule SASL-06). */
  readonly clearSecret: boolean;
  begin(): Exchange;
};
