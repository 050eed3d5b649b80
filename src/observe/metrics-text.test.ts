import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMetrics } from "./metrics-text.ts";
import { createMetricsShared } from "./metrics.ts";
import { readProcess } from "./process-metrics.ts";

test("each metric has its HELP and TYPE once, before its samples", () => {
  const lines = renderMetrics(createMetricsShared(1), readProcess("1.2.3")).trimEnd().split("\n");
  const seen = new Set<string>();
  let current = "";
  for (const line of lines) {
    const help = /^# HELP (\S+) ./.exec(line)?.[1];
    if (help !== undefined) {
      assert.ok(!seen.has(help), `${help} twice`);
      seen.add(help);
      current = help;
    } else if (line.startsWith("# TYPE "))
      assert.match(line, new RegExp(`^# TYPE ${current} (counter|gauge|histogram)$`));
    else assert.match(line, new RegExp(`^${current}(_bucket|_sum|_count)?(\\{[^}]*\\})? [0-9.e+-]+$`));
  }
  assert.ok(seen.has("mailkeep_logins_total") && seen.has("process_resident_memory_bytes"));
});

test("a label's value cannot end the line or the label", () => {
  const text = renderMetrics(createMetricsShared(1), [
    { name: "x", kind: "gauge", help: "Two\nlines.", labels: { a: 'quote" slash\\ line\n' }, value: 1 },
  ]);
  assert.ok(text.endsWith('# HELP x Two\\nlines.\n# TYPE x gauge\nx{a="quote\\" slash\\\\ line\\n"} 1\n'));
});
