import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMetrics } from "./metrics-text.ts";
import { clearGauges, createMetricsShared, metricsFor, placedMetrics } from "./metrics.ts";

test("what all slots counted is added up", () => {
  const shared = createMetricsShared(3);
  metricsFor(shared, 0).counter("mailkeep_logins_total", "ok").add();
  metricsFor(shared, 1).counter("mailkeep_logins_total", "ok").add(4);
  metricsFor(shared, 2).counter("mailkeep_logins_total", "refused").add();
  const lines = renderMetrics(shared).split("\n");
  assert.ok(lines.includes('mailkeep_logins_total{outcome="ok"} 5'));
  assert.ok(lines.includes('mailkeep_logins_total{outcome="refused"} 1'));
  assert.ok(lines.includes('mailkeep_logins_total{outcome="in_use"} 0'));
});

test("every cell is written by one handle only", () => {
  const shared = createMetricsShared(1);
  const metrics = metricsFor(shared, 0);
  metrics.histogram("mailkeep_store_group_units").observe(3);
  metrics.gauge("mailkeep_store_queue").set(7);
  metrics.counter("mailkeep_log_lines_dropped_total").add(2);
  const samples = renderMetrics(shared)
    .split("\n")
    .filter((line) => !line.startsWith("#") && !line.endsWith(" 0") && line !== "");
  assert.deepEqual(samples, [
    ...["5", "10", "20", "50", "100", "200", "500", "+Inf"].map(
      (le) => `mailkeep_store_group_units_bucket{le="${le}"} 1`,
    ),
    "mailkeep_store_group_units_sum 3",
    "mailkeep_store_group_units_count 1",
    "mailkeep_store_queue 7",
    "mailkeep_log_lines_dropped_total 2",
  ]);
});

test("a value on a bucket's bound belongs to that bucket, one above all bounds to +Inf alone", () => {
  const shared = createMetricsShared(1);
  const units = metricsFor(shared, 0).histogram("mailkeep_store_group_units");
  units.observe(5);
  units.observe(501);
  const lines = renderMetrics(shared).split("\n");
  assert.ok(lines.includes('mailkeep_store_group_units_bucket{le="2"} 0'));
  assert.ok(lines.includes('mailkeep_store_group_units_bucket{le="5"} 1'));
  assert.ok(lines.includes('mailkeep_store_group_units_bucket{le="500"} 1'));
  assert.ok(lines.includes('mailkeep_store_group_units_bucket{le="+Inf"} 2'));
});

test("a slot taken again begins with empty gauges and the counters of its dead thread", () => {
  const shared = createMetricsShared(2);
  const dead = metricsFor(shared, 1);
  dead.gauge("mailkeep_connections_open", "pop3").add(12);
  dead.gauge("mailkeep_connections_open", "lmtp").add(3);
  dead.counter("mailkeep_connections_total", "pop3").add(40);
  metricsFor(shared, 0).gauge("mailkeep_connections_open", "pop3").add(1);
  clearGauges(shared, 1);
  const lines = renderMetrics(shared).split("\n");
  assert.ok(lines.includes('mailkeep_connections_open{protocol="pop3"} 1'));
  assert.ok(lines.includes('mailkeep_connections_open{protocol="lmtp"} 0'));
  assert.ok(lines.includes('mailkeep_connections_total{protocol="pop3"} 40'));
});

test("a label value or a slot that does not exist is a mistake, not a new series", () => {
  const shared = createMetricsShared(1);
  const wrong = "nobody@example.test" as "ok";
  assert.throws(() => metricsFor(shared, 0).counter("mailkeep_logins_total", wrong), /has the label value/);
  assert.throws(() => metricsFor(shared, 1), /there is a slot 1/);
});

test("names and help keep Prometheus' rules", () => {
  for (const { name, row } of placedMetrics) {
    assert.match(name, /^mailkeep_[a-z][a-z0-9_]*$/);
    assert.equal(name.endsWith("_total"), row.kind === "counter", name);
    assert.match(row.help, /\.$/, name);
    assert.equal(row.buckets !== undefined, row.kind === "histogram", name);
    assert.deepEqual(
      row.buckets,
      row.buckets?.toSorted((a, b) => a - b),
      name,
    );
  }
});
