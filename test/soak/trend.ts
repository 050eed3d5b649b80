/** A value at a moment. */
export type Sample = { readonly seconds: number; readonly value: number };

/** How much a series may grow. */
export type Bound = {
  /** A minute; at twice as much a run of the full length has to fail. */
  readonly perMinute: number;
  /** Which value stands for a window: of memory the least, for what is above it the collector has only not taken yet. */
  readonly of: "least" | "middle";
};

/** What a series does, a minute: the middle of all slopes, and the least that it may be, by 99 in 100. */
export type Trend = { readonly slope: number; readonly least: number; readonly first: number; readonly last: number };

const WINDOWS = 20;
// The quantile of the normal distribution for one side of 99 %.
const SURE = 2.326;

/**
 * Theil and Sen's slope of a series, over windows of it: the median of the slopes between all pairs, which single outliers do not
 * move, with the lower end of its confidence interval by Kendall's variance (Sen 1968).
 */
export function trendOf(samples: readonly Sample[], of: Bound["of"]): Trend {
  const points = windowsOf(samples, of);
  const slopes: number[] = [];
  for (const [index, one] of points.entries()) {
    for (const other of points.slice(index + 1)) {
      slopes.push(((other.value - one.value) / (other.seconds - one.seconds)) * 60);
    }
  }
  slopes.sort((one, other) => one - other);
  const count = points.length;
  const spread = SURE * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const least = Math.max(0, Math.floor((slopes.length - spread) / 2));
  return {
    slope: middleOf(slopes),
    least: slopes[least] ?? 0,
    first: points[0]?.value ?? 0,
    last: points.at(-1)?.value ?? 0,
  };
}

/**
 * Whether a series grows: when it is sure that it does, and by more than it may. A short run is sure of little, so it finds large
 * leaks only; one of half an hour finds one of a descriptor or of 100 KiB a minute (trend.test.ts).
 */
export function grows(trend: Trend, bound: Bound): boolean {
  return trend.least > 0 && trend.slope > bound.perMinute;
}

function windowsOf(samples: readonly Sample[], of: Bound["of"]): readonly Sample[] {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return [];
  const width = (last.seconds - first.seconds) / WINDOWS;
  const windows = Map.groupBy(samples, ({ seconds }) =>
    Math.min(WINDOWS - 1, Math.floor((seconds - first.seconds) / width)),
  );
  return [...windows.values()].map((within) => {
    const values = within.map(({ value }) => value).toSorted((one, other) => one - other);
    return {
      seconds: within.reduce((sum, { seconds }) => sum + seconds, 0) / within.length,
      value: of === "least" ? (values[0] ?? 0) : middleOf(values),
    };
  });
}

function middleOf(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(half)] ?? 0;
  return ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}
