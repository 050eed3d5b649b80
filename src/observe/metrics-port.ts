import type { MetricName, metricRows } from "./metrics-table.ts";

export type Counter = { readonly add: (count?: number) => void };
export type Gauge = {
  readonly add: (delta: number) => void;
  readonly set: (value: number) => void;
};
export type Histogram = { readonly observe: (value: number) => void };

type NamesOf<Kind> = {
  [N in MetricName]: (typeof metricRows)[N]["kind"] extends Kind ? N : never;
}[MetricName];
/** The values a metric's label may take; never where it has no label. */
export type LabelOf<N extends MetricName> = (typeof metricRows)[N] extends {
  readonly label: { readonly values: readonly (infer V)[] };
}
  ? V
  : never;
type LabelArguments<N extends MetricName> = [LabelOf<N>] extends [never] ? [] : [label: LabelOf<N>];

/**
 * Gives the handles by which a room counts. Look a handle up once and keep it: its `add` is a single addition to shared
 * memory, cheap enough for every command.
 */
export type Metrics = {
  readonly counter: <N extends NamesOf<"counter">>(name: N, ...label: LabelArguments<N>) => Counter;
  readonly gauge: <N extends NamesOf<"gauge">>(name: N, ...label: LabelArguments<N>) => Gauge;
  readonly histogram: <N extends NamesOf<"histogram">>(name: N, ...label: LabelArguments<N>) => Histogram;
};
