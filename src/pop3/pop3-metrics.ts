import type { Counter, Gauge, LabelOf, Metrics } from "../observe/metrics-port.ts";
import { commands } from "./engine/commands.ts";

/** How a session that reached TRANSACTION ended. */
export type SessionEnd = LabelOf<"mailkeep_pop3_sessions_total">;

/** The handles by which POP3 counts, looked up once. */
export type Pop3Metrics = {
  readonly open: Gauge;
  readonly ended: (end: SessionEnd) => Counter;
  readonly commands: ReadonlyMap<string, Counter>;
  readonly messagesSent: Counter;
  readonly messagesRemoved: Counter;
  readonly octetsSent: Counter;
};

/** Looks the handles up. */
export function pop3Metrics(metrics: Metrics): Pop3Metrics {
  const names = [...[...commands.values()].map(({ name }) => name), "unknown" as const];
  return {
    open: metrics.gauge("mailkeep_pop3_sessions_open"),
    ended: (end) => metrics.counter("mailkeep_pop3_sessions_total", end),
    commands: new Map(names.map((name) => [name, metrics.counter("mailkeep_pop3_commands_total", name)])),
    messagesSent: metrics.counter("mailkeep_pop3_messages_sent_total"),
    messagesRemoved: metrics.counter("mailkeep_pop3_messages_removed_total"),
    octetsSent: metrics.counter("mailkeep_sent_octets_total"),
  };
}
