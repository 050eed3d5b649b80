import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import type { BodyId, SegmentId } from "../../model/ids.ts";
import { releaseBodies } from "../sql/bodies.ts";
import { shrinkSegment } from "../sql/segments.ts";
import type { UnitContext } from "./unit.ts";

/** Takes off the references of rows that are gone, and what that leaves without a reader. */
export async function dropBodies({ sql, now, effects }: UnitContext, bodies: readonly BodyId[]): Promise<void> {
  const dead = new Map<SegmentId, number>();
  for (const body of await releaseBodies(sql, bodies)) {
    if (body.segment === null) effects.orphans.push(body.id);
    else dead.set(body.segment, (dead.get(body.segment) ?? 0) + body.octets + BODY_HEAD_OCTETS);
  }
  for (const [segment, octets] of dead) await shrinkSegment(sql, segment, octets, now);
}
