import { STAGES, type ScrubState } from "../scrub/report.ts";
import type { Sql } from "./statement.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

type Row = Tables["scrub"];

const put = statement("scrub.put", (database, given: Row) =>
  database.replaceInto("scrub").values({
    name: given.name,
    started: given.started,
    at: given.at,
    stage: given.stage,
    position: given.position,
    messages: given.messages,
    bodies: given.bodies,
    octets: given.octets,
    found: given.found,
    mended: given.mended,
    findings: given.findings,
  }),
);
const remove = statement("scrub.remove", (database, given: { name: Row["name"] }) =>
  database.deleteFrom("scrub").where("name", "=", given.name),
);
/** The one that is under way and the last one that ended, as far as there are any. */
export const scrubs = statement("scrub.all", (database) => database.selectFrom("scrub").selectAll());

/** Notes how far a scrub is; at its end it is the last one. */
export async function noteScrub(sql: Sql, state: ScrubState): Promise<void> {
  const over = state.stage === "end";
  await sql.run(put, { ...state, name: over ? "last" : "current", findings: JSON.stringify(state.findings) });
  if (over) await sql.run(remove, { name: "current" });
}

/** See ScrubVerbs.scrubs. */
export async function findScrubs(sql: Sql): Promise<{ readonly [N in Row["name"]]?: ScrubState }> {
  const rows = await sql.all(scrubs, {});
  return Object.fromEntries(rows.flatMap((row) => stateOf(row) ?? []));
}

// A row that rotted is none: then a scrub begins anew.
function stateOf({ name, stage, findings, ...row }: Row): [[Row["name"], ScrubState]] | undefined {
  const known = STAGES.find((each) => each === stage);
  if (known === undefined) return undefined;
  try {
    return [[name, { ...row, stage: known, findings: JSON.parse(findings) as ScrubState["findings"] }]];
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
