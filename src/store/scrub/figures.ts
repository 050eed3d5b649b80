import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import type { Walk } from "./walk.ts";
import { isCertain, report, step } from "./walk.ts";

// Each range goes through all rows of messages once.
const RANGE = 200_000;

/** What is counted of bodies and segments, beside what is there. */
export async function checkFigures(walk: Walk): Promise<void> {
  const highest = await walk.rows.highestBody();
  for (let first = walk.state.position + 1; first <= highest; first += RANGE) {
    const last = first + RANGE - 1;
    for (const { id, refs, times } of await walk.rows.miscounted(first, last)) {
      const mend = isCertain(walk) ? ({ kind: "references", body: id, by: times - refs } as const) : undefined;
      const detail = `body ${id} counts ${refs} messages, and ${times} show it`;
      await report(walk, "references", detail, { mend });
    }
    await step(walk, { position: last });
  }
  await checkSegments(walk);
}

async function checkSegments(walk: Walk): Promise<void> {
  for (const { named, octets, id, live, sealed } of await walk.rows.segments(BODY_HEAD_OCTETS)) {
    if (id === null) {
      await report(walk, "segment", `segment ${named} has bodies and no row`);
      continue;
    }
    const lives = octets ?? 0;
    // What is being written has its figure in the same transaction as its bodies, so there is no moment of difference.
    if (live === lives) continue;
    const mend = isCertain(walk) ? ({ kind: "live", segment: id, by: lives - (live ?? 0) } as const) : undefined;
    const detail = `segment ${id}${sealed === 1 ? "" : " (open)"} counts ${live} live octets, and its bodies have ${lives}`;
    await report(walk, "segment", detail, { mend });
  }
}
