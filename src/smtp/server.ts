import { type Clock, systemClock } from "../lib/clock.ts";
import type { Connection, ConnectionHandler } from "../net/connection.ts";
import { ContentDrive } from "./content-drive.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { LINE_OCTETS } from "./engine/commands.ts";
import type { SmtpOptions, SmtpProtocol } from "./options.ts";
import type { SmtpPorts } from "./ports.ts";
import { SmtpSession } from "./session.ts";
import { smtpMetrics } from "./smtp-metrics.ts";

/** Gives what a listener calls for each connection it accepts. */
export function smtpHandler(
  protocol: SmtpProtocol,
  options: SmtpOptions,
  ports: SmtpPorts,
  log: Log,
  metrics: Metrics,
  clock: Clock = systemClock,
): (connection: Connection) => ConnectionHandler {
  const { hostname, startTls, limits } = options;
  const { messageOctets, recipients, idleSeconds } = limits;
  const settings = { protocol, hostname, startTls, messageOctets, recipients };
  const parts = { settings, limits, ports, log, metrics: smtpMetrics(metrics, protocol), clock };
  // RFC 5321 §2.3.8: nothing but CRLF ends a line, also of a command.
  const lines = { lineOctets: LINE_OCTETS, bareLf: false, writeStallSeconds: idleSeconds };
  return (connection) => new ContentDrive(connection, lines, (drive) => new SmtpSession(drive, parts));
}
