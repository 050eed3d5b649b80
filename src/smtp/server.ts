import { type Clock, systemClock } from "../lib/clock.ts";
import type { Connection, ConnectionHandler } from "../net/connection.ts";
import { Drive } from "../net/drive.ts";
import type { ProtocolName } from "../net/protocol.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { countersOf } from "./counters.ts";
import { SmtpSession } from "./smtp-session.ts";
import { LINE_OCTETS } from "./engine/commands.ts";
import type { SmtpPorts } from "./ports.ts";

/** The three doors by which mail comes in: from other servers, from our own users, from a mail server in front. */
export type SmtpProtocol = Exclude<ProtocolName, "pop3">;

/** What a listener of these protocols is told by the configuration. */
export type SmtpOptions = Readonly<{
  hostname: string;
  /** Whether AUTH is offered without TLS (`auth.allow_cleartext`). */
  allowCleartext: boolean;
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

/** Gives what a listener calls for each connection it accepts. */
export function smtpHandler(
  protocol: SmtpProtocol,
  options: SmtpOptions,
  ports: SmtpPorts,
  log: Log,
  metrics: Metrics,
  clock: Clock = systemClock,
): (connection: Connection) => ConnectionHandler {
  const { hostname, allowCleartext, startTls, limits } = options;
  const { messageOctets, recipients, idleSeconds } = limits;
  const settings = { protocol, hostname, allowCleartext, startTls, messageOctets, recipients };
  const parts = { settings, limits, ports, log, counters: countersOf(metrics, protocol), clock };
  // What a client at a terminal or in a script sends may end with LF alone; content may not.
  const lines = { lineOctets: LINE_OCTETS, bareLf: true, writeStallSeconds: idleSeconds };
  return (connection) => new Drive(connection, lines, (drive) => new SmtpSession(drive, parts));
}
