import { scrubRows } from "../sql/scrub-rows.ts";
import { checkBodies } from "./bodies.ts";
import { checkDatabase } from "./database.ts";
import { checkFigures } from "./figures.ts";
import { checkFiles } from "./files.ts";
import { checkCounters, checkCountersOf } from "./counters.ts";
import { checkMaildrop, checkMaildrops } from "./maildrops.ts";
import { Pace } from "./pace.ts";
import type { ScrubState, Stage } from "./report.ts";
import { STAGES } from "./report.ts";
import type { ScrubParts, Walk } from "./walk.ts";
import { isDamage, report, step, wordsOf } from "./walk.ts";

const stages: { readonly [S in Exclude<Stage, "end">]: (walk: Walk) => Promise<void> } = {
  database: checkDatabase,
  maildrops: checkMaildrops,
  bodies: checkBodies,
  counters: checkCounters,
  figures: checkFigures,
  files: checkFiles,
};

/**
 * Walks all of a store, from where a scrub was interrupted, and gives what it found: each page of the database, each row, each
 * body, each figure, each file. Rejects when it is told to stop; its place is noted then.
 */
export async function scrubStore(parts: ScrubParts, from: ScrubState): Promise<ScrubState> {
  const walk = begin(parts, from);
  try {
    await attempt(walk, async () => void (walk.total = (await walk.rows.bodyTotals()).octets));
    for (const stage of STAGES.slice(STAGES.indexOf(from.stage))) {
      if (stage === "end") break;
      if (walk.state.stage !== stage) await step(walk, { stage, position: 0 });
      await attempt(walk, stages[stage]);
    }
  } catch (cause) {
    if (parts.signal.aborted) await parts.note(walk.state);
    throw cause;
  }
  walk.state = { ...walk.state, stage: "end", position: 0, at: parts.now() };
  await parts.note(walk.state);
  parts.progress({ done: walk.total, total: walk.total });
  return walk.state;
}

/** The same of some mailboxes: their rows, their bodies and what they count. */
export async function scrubMaildrops(parts: ScrubParts, from: ScrubState): Promise<ScrubState> {
  const walk = begin(parts, from);
  for (const mailbox of parts.request.mailboxes ?? []) {
    const row = await walk.rows.mailboxAfter(mailbox - 1);
    if (row?.id !== mailbox) continue;
    await attempt(walk, () => checkMaildrop(walk, row, true));
    await attempt(walk, () => checkCountersOf(walk, row, false));
  }
  return { ...walk.state, stage: "end", at: parts.now() };
}

/** What the database cannot give is told, and the rest is looked at all the same. */
async function attempt(walk: Walk, work: (walk: Walk) => Promise<void>): Promise<void> {
  try {
    await work(walk);
  } catch (cause) {
    if (!isDamage(cause)) throw cause;
    await report(walk, "database", wordsOf(cause));
  }
}

function begin(parts: ScrubParts, state: ScrubState): Walk {
  const { request, monotonic, signal, sql } = parts;
  const pace = new Pace(request.octetsPerSecond, monotonic, signal);
  return { parts, rows: scrubRows(sql), pace, owners: new Map(), state, total: 0, lastNoted: monotonic() };
}
