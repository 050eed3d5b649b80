import { assert } from "../lib/assert.ts";
import type { Counter, Gauge, Histogram, Metrics } from "./metrics-port.ts";
import type { MetricRow } from "./metrics-table.ts";
import { metricRows } from "./metrics-table.ts";

/**
 * The cells of all metrics in shared memory: one region for each slot, and one thread at most that writes to a slot. A
 * slot outlives its thread, so a counter never falls back when a thread dies.
 */
export type MetricsShared = { readonly cells: SharedArrayBuffer; readonly slots: number };

/** One metric with its place: `cell` is the first cell of its first label value, `width` the cells of each value. */
export type Placed = {
  readonly name: string;
  readonly row: MetricRow;
  readonly cell: number;
  readonly width: number;
};

// Regions begin on cache lines of their own, so that two threads never fight for one.
const CELLS_A_LINE = 8;

/** Every metric's place in a slot; the same in each thread, since all count through the same table. */
export const placedMetrics: readonly Placed[] = placeAll();

const byName = new Map(placedMetrics.map((placed) => [placed.name, placed]));
const cellsOfSlot = regionCells();

/** Makes the shared cells for this many slots. */
export function createMetricsShared(slots: number): MetricsShared {
  assert(Number.isInteger(slots) && slots > 0, "there is at least one slot");
  return { cells: new SharedArrayBuffer(slots * cellsOfSlot * Float64Array.BYTES_PER_ELEMENT), slots };
}

/** Gives the handles of one slot. Only one thread may count in a slot. */
export function metricsFor(shared: MetricsShared, slot: number): Metrics {
  const cells = slotCells(shared, slot);
  return {
    counter: (name, ...label) => counter(cells, place(name, label)),
    gauge: (name, ...label) => gauge(cells, place(name, label)),
    histogram: (name, ...label) => histogram(cells, place(name, label), byName.get(name)?.row.buckets ?? []),
  };
}

/** Sets the gauges of a slot to zero: what its dead thread held open is gone, what it counted stays. */
export function clearGauges(shared: MetricsShared, slot: number): void {
  const cells = slotCells(shared, slot);
  for (const placed of placedMetrics) {
    if (placed.row.kind !== "gauge") continue;
    cells.fill(0, placed.cell, placed.cell + placed.width * valuesOf(placed.row));
  }
}

/** Adds up all slots. */
export function sumSlots(shared: MetricsShared): Float64Array {
  const sums = new Float64Array(cellsOfSlot);
  for (let slot = 0; slot < shared.slots; slot += 1) {
    const cells = slotCells(shared, slot);
    for (let cell = 0; cell < cellsOfSlot; cell += 1) sums[cell] = (sums[cell] ?? 0) + (cells[cell] ?? 0);
  }
  return sums;
}

function counter(cells: Float64Array, cell: number): Counter {
  return {
    add: (count = 1) => {
      cells[cell] = (cells[cell] ?? 0) + count;
    },
  };
}

function gauge(cells: Float64Array, cell: number): Gauge {
  return {
    add: (delta) => {
      cells[cell] = (cells[cell] ?? 0) + delta;
    },
    set: (value) => {
      cells[cell] = value;
    },
  };
}

/** One cell a bucket, the last for what is above all of them, then the sum of the values. */
function histogram(cells: Float64Array, cell: number, buckets: readonly number[]): Histogram {
  const sum = cell + buckets.length + 1;
  return {
    observe: (value) => {
      let bucket = 0;
      while (value > (buckets[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
      cells[cell + bucket] = (cells[cell + bucket] ?? 0) + 1;
      cells[sum] = (cells[sum] ?? 0) + value;
    },
  };
}

function place(name: string, [label]: readonly unknown[]): number {
  const placed = byName.get(name);
  assert(placed !== undefined, `there is a metric ${name}`);
  if (placed.row.label === undefined) return placed.cell;
  const value = placed.row.label.values.findIndex((each) => each === label);
  assert(value >= 0, `${name} has the label value ${String(label)}`);
  return placed.cell + value * placed.width;
}

function slotCells(shared: MetricsShared, slot: number): Float64Array {
  assert(slot >= 0 && slot < shared.slots, `there is a slot ${String(slot)}`);
  return new Float64Array(shared.cells, slot * cellsOfSlot * Float64Array.BYTES_PER_ELEMENT, cellsOfSlot);
}

function placeAll(): Placed[] {
  let cell = 0;
  return Object.entries<MetricRow>(metricRows).map(([name, row]) => {
    const width = row.kind === "histogram" ? (row.buckets ?? []).length + 2 : 1;
    const placed = { name, row, cell, width };
    cell += width * valuesOf(row);
    return placed;
  });
}

function regionCells(): number {
  const last = placedMetrics.at(-1);
  const used = last === undefined ? 0 : last.cell + last.width * valuesOf(last.row);
  return Math.ceil(used / CELLS_A_LINE) * CELLS_A_LINE;
}

function valuesOf(row: MetricRow): number {
  return row.label?.values.length ?? 1;
}
