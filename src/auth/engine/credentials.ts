import type { Secret } from "../../lib/secret.ts";

/** The hash of a SCRAM mechanism (RFC 5802 §4, RFC 7677). */
export type ScramHash = "sha1" | "sha256";

/** What a client proved or claims to know; what a mechanism ends with. Names are as typed, decoded as UTF-8. */
export type Credentials =
  | {
      readonly kind: "password";
      readonly mechanism: string;
      readonly user: string;
      readonly password: Secret;
    }
  /** A proof of having the key of a password (RFC 5802 §3), to be checked against each credential of the account. */
  | {
      readonly kind: "scram";
      readonly mechanism: string;
      readonly user: string;
      readonly hash: ScramHash;
      /** AuthMessage, whose signature the proof is. */
      readonly message: Uint8Array;
      readonly proof: Uint8Array;
    }
  /** A bearer token (RFC 7628, XOAUTH2); `user`: whom the client says it is for, "" where it says nothing. */
  | {
      readonly kind: "token";
      readonly mechanism: string;
      readonly user: string;
      readonly token: Secret;
    }
  /** The client's certificate (RFC 4422 appendix A); `user`: whom it wants to act as, "" for whom the certificate names. */
  | { readonly kind: "certificate"; readonly mechanism: string; readonly user: string };
