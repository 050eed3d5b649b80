import type { Connection, ConnectionHandler } from "../net/connection.ts";
import { Drive } from "../net/drive.ts";
import type { Log } from "../observe/log-port.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { LINE_OCTETS } from "./engine/step.ts";
import type { Pop3Options } from "./options.ts";
import type { Pop3Ports } from "./ports.ts";
import { pop3Metrics } from "./pop3-metrics.ts";
import { Pop3Session } from "./session.ts";

/** What a client hears instead of a greeting when there are too many connections. */
export const POP3_BUSY_LINE = "-ERR [SYS/TEMP] too many connections, try again later\r\n";

/** Makes what a listener accepts connections with: POP3 over each of them. */
export function pop3Handler(
  options: Pop3Options,
  ports: Pop3Ports,
  log: Log,
  metrics: Metrics,
): (connection: Connection) => ConnectionHandler {
  const counted = pop3Metrics(metrics);
  // A bare LF ends a line too: people test by hand with tools that send nothing else, and no reply is smuggled by it, since
  // nothing but lines ever comes from a client of POP3. What stands behind STLS is told by octets, never by lines.
  const driving = { lineOctets: LINE_OCTETS, bareLf: true, writeStallSeconds: options.writeStallSeconds };
  return (connection) =>
    new Drive(connection, driving, (drive) => new Pop3Session(options, drive, ports, log, counted));
}
