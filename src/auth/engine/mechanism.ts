import type { Channel, MechanismPolicy } from "./channel.ts";
import type { Credentials, ScramHash } from "./credentials.ts";

/** What a SCRAM exchange asks of the house between the client's two messages. */
export type ScramQuestion = { readonly kind: "scram"; readonly user: string; readonly hash: ScramHash };

/** The answer; of nobody's name it looks the same, and is the same each time (rule SCRAM-01). */
export type ScramFacts = {
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** The server's part of the nonce: printable ASCII without a comma, fresh for each exchange. */
  readonly nonce: string;
};

/** What one message of a SASL exchange leads to (RFC 4422 §3). */
export type Step =
  | { readonly kind: "challenge"; readonly octets: Uint8Array }
  /** Something has to be asked of the house first; the answer comes to `answered`. */
  | { readonly kind: "question"; readonly question: ScramQuestion }
  | { readonly kind: "credentials"; readonly credentials: Credentials }
  /** The exchange is over and failed: "malformed" is a syntax error (501, -ERR), no credential was judged. */
  | { readonly kind: "failed"; readonly reason: "malformed" | "refused" };

/** How the house judged an exchange's credentials. */
export type Verdict =
  /** `serverSignature`: of SCRAM, by which the client knows the server (RFC 5802 §3). */
  { readonly ok: true; readonly serverSignature?: Uint8Array } | { readonly ok: false };

/** One exchange, from its first message to its end. */
export type Exchange = {
  /** The client's next message, decoded from base64; where the server speaks first, an empty one begins. */
  step(response: Uint8Array): Step;
  /** The answer to a "question". */
  answered?(facts: ScramFacts): Step;
  /**
   * What the client has to be told before the reply to AUTH, as one more challenge, since neither POP3 nor SMTP has a
   * success with data (rules SASL-04, OAUTH-01); undefined: nothing. Its response ends the exchange, whatever it holds:
   * with the verdict, or, for `*`, with a failure.
   */
  concluded?(verdict: Verdict): Uint8Array | undefined;
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
  /** Whether it is announced and taken now. That a login without TLS is allowed at all is asked before. */
  usable(policy: MechanismPolicy, channel: Channel): boolean;
  /** `plusOffered`: whether a mechanism with channel binding was announced beside it (rule SCRAM-01, downgrade). */
  begin(channel: Channel, plusOffered: boolean, policy?: MechanismPolicy): Exchange;
};
