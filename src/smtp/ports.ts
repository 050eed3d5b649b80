import type { MechanismPolicy } from "../auth/engine/channel.ts";
import type { Credentials } from "../auth/engine/credentials.ts";
import type { ScramFacts, ScramQuestion } from "../auth/engine/mechanism.ts";
import type { Result } from "../lib/result.ts";
import type { Envelope, Recipient } from "../model/envelope.ts";
import type { Client, Peer } from "../model/peer.ts";
import type { LoginRefusal, Outcome, RecipientRefusal, Submitter } from "./engine/results.ts";

export type { LoginRefusal, Outcome, RecipientRefusal, Submitter };

/**
 * Takes the content of one message as it comes: unstuffed octets with CRLF line ends, in memory while small, on disk
 * when large (DESIGN "Spool").
 */
export type ContentSink = {
  readonly octets: number;
  /** Set by the session before `deliver`: some line of the content starts with a dot. */
  dotted: boolean;
  /** Copies the piece. false: take no more from the client until `ready` (given at the opening) has been called. */
  write(piece: Uint8Array): boolean;
  /** Set once the content cannot be kept: "full" is a full disk or no memory left (452), "failed" anything else. */
  readonly failure: "full" | "failed" | undefined;
  discard(): void;
};

/** What an SMTP session needs of the house. A rejected promise is an outage and is answered 451. */
export type SmtpPorts = Readonly<{
  /** `left` is called once the session of who logged in is over. */
  login: (credentials: Credentials, client: Client, left: Promise<void>) => Promise<Result<Submitter, LoginRefusal>>;
  /** What a SCRAM exchange asks; answered in the same time and form for names that nobody has. */
  scram: (question: ScramQuestion, peer: Peer) => Promise<ScramFacts>;
  /** Which mechanisms EHLO announces, as of this second. */
  mechanisms: () => MechanismPolicy;
  /**
   * Whether who logged in may still send: asked at each MAIL, so that a session does not outlive its account's or its app
   * password's end.
   */
  stillAllowed: (submitter: Submitter) => Promise<boolean>;
  /** Decides RCPT. `octets`: what MAIL announced by SIZE, else 0. LMTP asks about the quota again after DATA. */
  recipient: (forwardPath: string, octets: number) => Promise<Result<Recipient, RecipientRefusal>>;
  /** Opens a sink. `expected`: what MAIL announced by SIZE, else 0. undefined: no memory left for it now (452). */
  openContent: (expected: number, ready: () => void) => ContentSink | undefined;
  /**
   * Adds the trace, runs the steps, stores for all recipients in one transaction, and only then resolves (P1). One
   * outcome for each recipient, in order. `perRecipient`: the quota is asked again for each (LMTP).
   */
  deliver: (envelope: Envelope, content: ContentSink, perRecipient: boolean) => Promise<readonly Outcome[]>;
}>;
