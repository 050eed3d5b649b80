import type { Result } from "../../lib/result.ts";
import type { BodyId, SegmentId } from "../../model/ids.ts";
import type { WriteFailure } from "../ports.ts";
import type { Sql } from "../sql/statement.ts";
import type { RestorePlans } from "./restore-plans.ts";
import type { RowRequest } from "./verbs.ts";

/** Where a unit's body was put before its rows; `octets` with its head. */
export type PlacedBody = {
  readonly id: BodyId;
  readonly segment: SegmentId | null;
  readonly offset: number;
  readonly octets: number;
};

/** One call in a group: it succeeds or fails by itself. */
export type Unit = {
  readonly request: RowRequest;
  readonly settle: (outcome: Result<unknown, unknown>) => void;
  readonly fail: (cause: unknown) => void;
  /** Of a delivery, once its body was tried. */
  placed?: Result<PlacedBody, WriteFailure>;
};

/** What else follows from a unit's rows when they are kept. */
export type Effects = {
  /** Octets that rows name now, by segment. */
  readonly live: Map<SegmentId, number>;
  /** Segments in which octets were written that no row names. */
  readonly wasted: Set<SegmentId>;
  /** Bodies in files of their own that no row names (any more). */
  readonly orphans: BodyId[];
};

/** What a unit's rows are made with. */
export type UnitContext = {
  readonly sql: Sql;
  readonly now: number;
  readonly effects: Effects;
  readonly plans: RestorePlans;
  readonly placed?: PlacedBody;
};

/** No effects yet. */
export function noEffects(): Effects {
  return { live: new Map(), wasted: new Set(), orphans: [] };
}

/** Adds the effects of a unit that is kept to those of its group. */
export function addEffects(group: Effects, unit: Effects): void {
  for (const [segment, octets] of unit.live) group.live.set(segment, (group.live.get(segment) ?? 0) + octets);
  for (const segment of unit.wasted) group.wasted.add(segment);
  group.orphans.push(...unit.orphans);
}
