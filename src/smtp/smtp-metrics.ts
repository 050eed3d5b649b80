import type { Counter, Histogram, Metrics } from "../observe/metrics-port.ts";
import { metricRows } from "../observe/metrics-table.ts";
import type { CommandName, Refused } from "./engine/session.ts";
import type { Outcome } from "./engine/results.ts";

/** The handles by which the sessions of one listener count, looked up once. */
export type SmtpMetrics = Readonly<{
  commands: Readonly<Record<CommandName, Counter>>;
  /** By the reasons for which a recipient is refused; other refusals are not counted here. */
  refused: ReadonlyMap<Refused["reason"], Counter>;
  outcomes: Readonly<Record<Outcome, Counter>>;
  receivedOctets: Counter;
  deliverySeconds: Histogram;
}>;

/** Looks the handles up. */
export function smtpMetrics(metrics: Metrics, protocol: "smtp" | "submission" | "lmtp"): SmtpMetrics {
  const { mailkeep_smtp_commands_total, mailkeep_smtp_recipients_refused_total, mailkeep_deliveries_total } =
    metricRows;
  return {
    commands: byLabel(mailkeep_smtp_commands_total.label.values, (command) =>
      metrics.counter("mailkeep_smtp_commands_total", command),
    ),
    refused: new Map(
      mailkeep_smtp_recipients_refused_total.label.values.map((reason) => [
        reason,
        metrics.counter("mailkeep_smtp_recipients_refused_total", reason),
      ]),
    ),
    outcomes: byLabel(mailkeep_deliveries_total.label.values, (outcome) =>
      metrics.counter("mailkeep_deliveries_total", outcome),
    ),
    receivedOctets: metrics.counter("mailkeep_received_octets_total", protocol),
    deliverySeconds: metrics.histogram("mailkeep_delivery_seconds"),
  };
}

function byLabel<K extends string>(values: readonly K[], counter: (value: K) => Counter): Record<K, Counter> {
  return Object.fromEntries(values.map((value) => [value, counter(value)])) as Record<K, Counter>;
}
