/** One metric: its name is public contract; every label has a closed set of values, and no address is ever one. */
export type MetricRow = {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly label?: {
    readonly name: string;
    readonly values: readonly string[];
  };
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly buckets?: readonly number[];
};

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
const PROTOCOLS = ["pop3", "smtp", "submission", "lmtp"] as const;

/** Every metric, once. Names follow Prometheus' rules: base units, counters end in _total. */
export const metricRows = {
  mailkeep_connections_total: {
    kind: "counter",
    help: "Connections accepted.",
    label: { name: "protocol", values: PROTOCOLS },
  },
  mailkeep_connections_refused_total: {
    kind: "counter",
    help: "Connections turned away.",
    label: { name: "protocol", values: PROTOCOLS },
  },
  mailkeep_connection_refusals_total: {
    kind: "counter",
    help: "Connections turned away, by reason: too many in all, open from one network or new from it within a minute; not from a proxy where only proxies are served; without a good PROXY header.",
    label: { name: "reason", values: ["full", "connections", "rate", "not-a-proxy", "proxy-header"] },
  },
  mailkeep_connections_open: {
    kind: "gauge",
    help: "Connections open now.",
    label: { name: "protocol", values: PROTOCOLS },
  },
  mailkeep_tls_handshakes_total: {
    kind: "counter",
    help: "TLS handshakes, by outcome.",
    label: { name: "outcome", values: ["full", "resumed", "failed"] },
  },
  mailkeep_pop3_sessions_open: {
    kind: "gauge",
    help: "POP3 sessions in TRANSACTION or UPDATE now.",
  },
  mailkeep_pop3_sessions_total: {
    kind: "counter",
    help: "POP3 sessions that reached TRANSACTION, by how they ended.",
    label: {
      name: "end",
      values: ["quit", "update_failed", "lost", "idle", "stalled", "damaged", "taken_over", "shutdown"],
    },
  },
  mailkeep_pop3_commands_total: {
    kind: "counter",
    help: "POP3 commands, by name.",
    label: {
      name: "command",
      values: [
        "APOP",
        "AUTH",
        "CAPA",
        "DELE",
        "LANG",
        "LIST",
        "NOOP",
        "PASS",
        "QUIT",
        "RETR",
        "RSET",
        "STAT",
        "STLS",
        "TOP",
        "UIDL",
        "USER",
        "UTF8",
        "unknown",
      ],
    },
  },
  mailkeep_pop3_messages_sent_total: {
    kind: "counter",
    help: "Messages that left whole by RETR.",
  },
  mailkeep_pop3_messages_removed_total: {
    kind: "counter",
    help: "Messages removed by a committed QUIT.",
  },
  mailkeep_sent_octets_total: {
    kind: "counter",
    help: "Octets of messages sent by RETR and TOP.",
  },
  mailkeep_received_octets_total: {
    kind: "counter",
    help: "Octets of message content received.",
    label: { name: "protocol", values: ["smtp", "submission", "lmtp"] },
  },
  mailkeep_logins_total: {
    kind: "counter",
    help: "Logins, by outcome.",
    label: {
      name: "outcome",
      values: ["ok", "refused", "throttled", "unavailable", "in_use", "login_delay"],
    },
  },
  mailkeep_login_seconds: {
    kind: "histogram",
    help: "Time from the credentials to the outcome of a login that was accepted.",
    buckets: SECONDS,
  },
  mailkeep_password_hashes_total: {
    kind: "counter",
    help: "Password checks, by how they were decided.",
    label: { name: "how", values: ["cached", "hashed"] },
  },
  mailkeep_password_queue: {
    kind: "gauge",
    help: "Password checks waiting for the hasher.",
  },
  mailkeep_smtp_commands_total: {
    kind: "counter",
    help: "SMTP and LMTP commands, by name.",
    label: {
      name: "command",
      values: [
        "AUTH",
        "BDAT",
        "DATA",
        "EHLO",
        "HELO",
        "HELP",
        "LHLO",
        "MAIL",
        "NOOP",
        "QUIT",
        "RCPT",
        "RSET",
        "STARTTLS",
        "VRFY",
        "unknown",
      ],
    },
  },
  mailkeep_smtp_recipients_refused_total: {
    kind: "counter",
    help: "Recipients refused, by reason.",
    label: {
      name: "reason",
      values: ["bad-address", "elsewhere", "unknown", "disabled", "over-quota", "unavailable", "too-many"],
    },
  },
  mailkeep_deliveries_total: {
    kind: "counter",
    help: "Messages for one recipient each, by outcome.",
    label: {
      name: "outcome",
      values: ["stored", "over-quota", "no-mailbox", "loop", "full", "failed"],
    },
  },
  mailkeep_delivery_seconds: {
    kind: "histogram",
    help: "Time from the end of DATA to the commit.",
    buckets: SECONDS,
  },
  mailkeep_store_commit_seconds: {
    kind: "histogram",
    help: "Time to write, sync and commit one group.",
    buckets: SECONDS,
  },
  mailkeep_store_group_units: {
    kind: "histogram",
    help: "Units committed together in one group.",
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
  },
  mailkeep_store_queue: {
    kind: "gauge",
    help: "Units waiting for the store thread.",
  },
  mailkeep_store_failures_total: {
    kind: "counter",
    help: "Groups or units that could not be committed, by reason.",
    label: { name: "reason", values: ["full", "failed"] },
  },
  mailkeep_store_damaged_total: {
    kind: "counter",
    help: "Messages whose octets were not what was delivered, when read.",
  },
  mailkeep_scrub_found_total: {
    kind: "counter",
    help: "What scrubs found wrong, mended or not.",
  },
  mailkeep_scrub_findings: {
    kind: "gauge",
    help: "What the last scrub of the whole store found wrong and did not mend.",
  },
  mailkeep_scrub_ended_seconds: {
    kind: "gauge",
    help: "When the last scrub of the whole store ended, in seconds since 1970; 0: there was none.",
  },
  mailkeep_store_segments_removed_total: {
    kind: "counter",
    help: "Segments that reclaim removed.",
  },
  mailkeep_store_moved_octets_total: {
    kind: "counter",
    help: "Octets that reclaim copied out of segments.",
  },
  mailkeep_removed_messages: {
    kind: "gauge",
    help: "Removed messages that undelete can bring back.",
  },
  mailkeep_removed_octets: {
    kind: "gauge",
    help: "Octets of removed messages that undelete can bring back.",
  },
  mailkeep_expired_messages_total: {
    kind: "counter",
    help: "Messages removed because of their age.",
  },
  mailkeep_erased_messages_total: {
    kind: "counter",
    help: "Removed messages that were erased for good: old enough, the disk was low, or nothing is kept.",
    label: { name: "reason", values: ["age", "space", "not_kept"] },
  },
  mailkeep_disk_free_octets: {
    kind: "gauge",
    help: "Octets of the disk that are free for mail.",
  },
  mailkeep_disk_octets: {
    kind: "gauge",
    help: "Octets of the disk on which mail is.",
  },
  mailkeep_history_dropped_total: {
    kind: "counter",
    help: "Transfers whose history could not be written in time; no mail is lost.",
  },
  mailkeep_thread_restarts_total: {
    kind: "counter",
    help: "Protocol threads that died and were started again.",
  },
  mailkeep_log_events_total: {
    kind: "counter",
    help: "Log events, by level.",
    label: { name: "level", values: ["debug", "info", "warn", "error"] },
  },
  mailkeep_log_lines_dropped_total: {
    kind: "counter",
    help: "Log lines that nobody read in time.",
  },
  mailkeep_loop_delay_seconds: {
    kind: "histogram",
    help: "How late a thread's event loop came to a timer, all threads.",
    buckets: SECONDS,
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metricRows;
