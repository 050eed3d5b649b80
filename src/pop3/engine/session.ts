import type { Exchange } from "../../auth/engine/mechanism.ts";
import type { Maildrop } from "./maildrop.ts";

/** What this listener allows. */
export type Policy = {
  readonly hostname: string;
  readonly implementation: string;
  /** Whether a password may cross the network in clear text (rule TLS-04). */
  readonly allowCleartext: boolean;
  readonly stlsPossible: boolean;
};

/** RFC 1939 §4. */
export type Authorization = {
  readonly phase: "authorization";
  /** From a USER that PASS may follow. */
  user: string | undefined;
  /** While a SASL exchange is under way, the next line is its response. */
  exchange: Exchange | undefined;
  badCommands: number;
};

/** RFC 1939 §5. */
export type Transaction = { readonly phase: "transaction"; readonly drop: Maildrop };

/** After QUIT or a close: whatever comes is not looked at (rule 2449-05). */
type Over = { readonly phase: "over" };

/** What the driver was asked for and has not answered yet. */
export type Awaited =
  | { readonly kind: "login" | "opened" | "listed" | "updated" | "upgrade" | "secured" }
  /** The command that needs the listing, to be carried out when it is there. */
  | { readonly kind: "loaded"; readonly line: string }
  | { readonly kind: "sent"; readonly index: number; readonly whole: boolean };

/** One session; the engine changes it in place. */
export type Session = {
  readonly policy: Policy;
  tls: boolean;
  state: Authorization | Transaction | Over;
  awaited: Awaited | undefined;
};

/** A new session; what came before a handshake is in none. */
export function newSession(policy: Policy, tls: boolean): Session {
  return { policy, tls, state: newAuthorization(), awaited: undefined };
}

/** AUTHORIZATION with nothing known. */
export function newAuthorization(): Authorization {
  return { phase: "authorization", user: undefined, exchange: undefined, badCommands: 0 };
}

/** Whether a password may be sent on this connection now. */
export function maySendPassword(session: Session): boolean {
  return session.tls || session.policy.allowCleartext;
}
