import type { ProtocolName } from "../net/protocol.ts";

/** The three doors by which mail comes in: from other servers, from our own users, from a mail server in front. */
export type SmtpProtocol = Exclude<ProtocolName, "pop3">;

/** What a listener of these protocols is told by the configuration. */
export type SmtpOptions = Readonly<{
  hostname: string;
  /** Whether the listener has a certificate to upgrade with. */
  startTls: boolean;
  limits: SmtpLimits;
}>;

export type SmtpLimits = Readonly<{
  messageOctets: number;
  /** Recipients of one message; RFC 5321 §4.5.3.1.8 asks for 100 at least. */
  recipients: number;
  /** Silence that ends a session; RFC 5321 §4.5.3.2.7 asks for 300. */
  idleSeconds: number;
  /** The longest one message may take to come, however busy its client is. */
  contentSeconds: number;
}>;
