import { unreachable } from "../../lib/assert.ts";
import type { Result } from "../../lib/result.ts";
import { ok } from "../../lib/result.ts";
import type { BodyId } from "../../model/ids.ts";
import type { Mend } from "../scrub/mend.ts";
import type { ScrubState } from "../scrub/report.ts";
import { mendLive, mendMailbox, mendReferences, rewriteBody, rewriteMessage } from "../sql/mending.ts";
import { hasOwnFile } from "../sql/bodies.ts";
import { namedBodies } from "../sql/named-bodies.ts";
import { noteScrub as note } from "../sql/scrubs.ts";
import { dropBodies } from "./drop-bodies.ts";
import type { UnitContext } from "./unit.ts";

/** See Scrubbing.mend. */
export async function mend(context: UnitContext, what: Mend): Promise<Result<boolean, never>> {
  const { sql, now } = context;
  switch (what.kind) {
    case "counters":
      return ok(await mendMailbox(sql, what));
    case "references":
      return ok(await countAgain(context, what.body, what.by));
    case "live":
      return ok(await mendLive(sql, what.segment, what.by, now));
    case "row":
      return ok(await rewriteMessage(sql, what.found, what.written));
    case "body-row":
      return ok(await rewriteBody(sql, what.found, what.written));
    case "file":
      return ok(await forgetFile(context, what.body));
    default:
      return unreachable(what);
  }
}

/** Where nothing shows it, it goes as it would have gone with its last row. */
async function countAgain(context: UnitContext, body: BodyId, by: number): Promise<boolean> {
  const { sql } = context;
  const refs = await mendReferences(sql, body, by);
  if (refs !== undefined && refs <= 0) {
    await mendReferences(sql, body, 1 - refs);
    await dropBodies(context, [body]);
  }
  return refs !== undefined;
}

/**
 * Whoever asks has seen the file: were it of a delivery that was on its way then, its rows would be committed by now. One
 * that messages name lost its row to rot, and stays.
 */
async function forgetFile({ sql, effects }: UnitContext, body: BodyId): Promise<boolean> {
  if (await hasOwnFile(sql, body)) return false;
  if ((await namedBodies(sql, [body])).size > 0) return false;
  effects.orphans.push(body);
  return true;
}

/** See Scrubbing.noteScrub. */
export async function noteScrub({ sql }: UnitContext, state: ScrubState): Promise<Result<void, never>> {
  await note(sql, state);
  return ok(undefined);
}
