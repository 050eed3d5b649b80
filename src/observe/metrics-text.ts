import type { MetricsShared, Placed } from "./metrics.ts";
import { placedMetrics, sumSlots } from "./metrics.ts";

/** A metric that is read when asked for, such as the memory of the process. */
export type Reading = {
  readonly name: string;
  readonly kind: "counter" | "gauge";
  readonly help: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
};

/** All metrics in Prometheus' text format, version 0.0.4. */
export function renderMetrics(shared: MetricsShared, readings: readonly Reading[] = []): string {
  const sums = sumSlots(shared);
  const lines: string[] = [];
  for (const placed of placedMetrics) {
    lines.push(...head(placed.name, placed.row.kind, placed.row.help));
    for (const [index, value] of (placed.row.label?.values ?? [undefined]).entries()) {
      const label = value === undefined ? {} : { [placed.row.label?.name ?? ""]: value };
      lines.push(...samples(placed, label, sums, placed.cell + index * placed.width));
    }
  }
  for (const { name, kind, help, labels = {}, value } of readings) {
    lines.push(...head(name, kind, help), `${name}${labelSet(labels)} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

function samples(
  placed: Placed,
  label: Readonly<Record<string, string>>,
  sums: Float64Array,
  cell: number,
): readonly string[] {
  const { name, row } = placed;
  if (row.kind !== "histogram") return [`${name}${labelSet(label)} ${sums[cell] ?? 0}`];
  const bounds = [...(row.buckets ?? []).map(String), "+Inf"];
  let count = 0;
  const lines = bounds.map((le, bucket) => {
    count += sums[cell + bucket] ?? 0;
    return `${name}_bucket${labelSet({ ...label, le })} ${count}`;
  });
  lines.push(
    `${name}_sum${labelSet(label)} ${sums[cell + bounds.length] ?? 0}`,
    `${name}_count${labelSet(label)} ${count}`,
  );
  return lines;
}

function head(name: string, kind: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${kind}`];
}

function labelSet(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
