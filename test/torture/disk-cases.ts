import type { Call, ErrorName, Fault, Place } from "./faults.ts";

/** One way in which the disk fails, and what follows from it. */
export type Case = {
  readonly name: string;
  readonly when: "load" | "start" | "stop";
  /** The first is the one that must be met; others bring about that it can be. */
  readonly faults: readonly [Fault, ...Fault[]];
  readonly lasting: boolean;
  readonly blocks: boolean;
} & Consequence;

type Consequence = {
  /** Whose call it is: the store thread's, on which all acknowledgements hang, or that of one session's thread. */
  readonly of: "writer" | "session";
  /**
   * "stops": it was a sync of the writer's, so that only a restart helps; "may stop": the same call is made by sessions
   * too, where one message fails by it; "heals": all is well when the fault is gone.
   */
  readonly outcome: "stops" | "may stop" | "heals";
  /** Whether it keeps mail from being acknowledged, so that while it lasts the health endpoint must say so. */
  readonly refuses: boolean;
  /** Whether who only reads may be refused, too. */
  readonly readersToo: boolean;
};

type What = Fault["what"];
type Row = readonly [
  calls: readonly Call[],
  places: readonly Place[],
  whats: readonly What[],
  consequence: Consequence,
  /** What must happen so that the call is made at all. */
  after?: Fault,
];

const fail = (name: ErrorName): What => ({ fail: name });
const ERRORS = [fail("EIO"), fail("ENOSPC"), fail("EDQUOT")];
const BLOCK: What = { block: "released" };
const WRITES = [...ERRORS, "short", BLOCK] as const;

// A segment that was given up makes the next one be created at once.
const GIVE_UP: Fault = { calls: ["pwrite"], places: ["segment"], what: fail("EIO"), count: 1 };
const FILL_UP: Fault = { calls: ["pwrite"], places: ["segment"], what: fail("ENOSPC"), count: 1 };

const CHANGES: readonly Call[] = ["create", "write", "writev", "pwrite", "pwritev", "ftruncate"];
const SYNCS: readonly Call[] = ["fsync", "fdatasync"];

const stops: Consequence = { of: "writer", outcome: "stops", refuses: true, readersToo: false };
const refuses: Consequence = { of: "writer", outcome: "heals", refuses: true, readersToo: false };
const delays: Consequence = { of: "writer", outcome: "heals", refuses: false, readersToo: false };
const oneMessage: Consequence = { of: "session", outcome: "heals", refuses: false, readersToo: false };
const readers: Consequence = { of: "session", outcome: "heals", refuses: false, readersToo: true };
const unclear: Consequence = { of: "session", outcome: "may stop", refuses: false, readersToo: true };

const UNDER_LOAD: readonly Row[] = [
  [["pwrite"], ["wal"], WRITES, refuses],
  [["pwrite"], ["wal"], ["lose"], stops],
  [SYNCS, ["wal"], [...ERRORS, BLOCK], stops],
  [["pwrite"], ["database"], WRITES, delays],
  [["pwrite"], ["database"], ["lose"], stops],
  [SYNCS, ["database"], [...ERRORS, BLOCK], stops],
  [["read"], ["database", "wal"], [fail("EIO"), BLOCK], readers],
  [["pwrite"], ["segment"], WRITES, refuses],
  [["pwrite"], ["segment"], ["lose"], stops],
  [SYNCS, ["segment"], [...ERRORS, BLOCK], stops],
  [["create"], ["segment"], [...ERRORS, BLOCK], refuses, GIVE_UP],
  [SYNCS, ["segments"], [...ERRORS, BLOCK], stops, GIVE_UP],
  [["open"], ["segments"], [fail("EIO")], { ...unclear, readersToo: false }, GIVE_UP],
  [["ftruncate"], ["segment"], [fail("EIO"), BLOCK], delays, FILL_UP],
  [["open"], ["segment"], [fail("EIO"), BLOCK], readers],
  [["read"], ["segment"], [fail("EIO"), "short", BLOCK], readers],
  [["create"], ["spool"], [...ERRORS, BLOCK], { ...oneMessage, readersToo: true }],
  [["pwrite"], ["spool"], WRITES, oneMessage],
  [["pwrite"], ["spool"], ["lose"], unclear],
  [["read"], ["spool"], [fail("EIO"), "short", BLOCK], oneMessage],
  [["open"], ["spool"], [fail("EIO"), BLOCK], oneMessage],
  [SYNCS, ["spool"], [...ERRORS, BLOCK], { ...unclear, readersToo: false }],
  [["unlink"], ["spool"], [fail("EIO"), BLOCK], oneMessage],
  [["rename"], ["body"], [fail("EIO"), fail("ENOSPC"), BLOCK], delays],
  [SYNCS, ["bodies"], [...ERRORS, BLOCK], stops],
  [["open"], ["body"], [fail("EIO"), BLOCK], readers],
  [["read"], ["body"], [fail("EIO"), "short", BLOCK], readers],
  [["unlink"], ["body"], [fail("EIO"), BLOCK], delays],
];

// A start or a stop ends in words or goes on; the run sees which, and that nothing is lost by it.
const AT_THE_ENDS: readonly Row[] = [
  [CHANGES, ["database", "wal", "shm"], WRITES, unclear],
  [CHANGES, ["database", "wal"], ["lose"], unclear],
  [SYNCS, ["database", "wal", "data", "bodies"], [fail("EIO"), fail("ENOSPC"), BLOCK], unclear],
  [["open", "create"], ["database", "wal", "shm"], [fail("EIO"), BLOCK], unclear],
  [["read"], ["database", "wal"], [fail("EIO"), "short", BLOCK], unclear],
  [["create", "open", "unlink", "read"], ["lock"], [fail("EIO"), fail("ENOSPC"), BLOCK], unclear],
  [["create", "open", "rename", "unlink"], ["other"], [fail("EIO"), BLOCK], unclear],
  [["unlink"], ["wal", "segment", "spool", "body"], [fail("EIO"), BLOCK], unclear],
];

/** Every case, in the same order each time; at a start and a stop those whose call is made there. */
export function allCases(isMade: (when: "start" | "stop", fault: Fault) => boolean): readonly Case[] {
  const ends = (["start", "stop"] as const).flatMap((when) =>
    AT_THE_ENDS.flatMap((row) => casesOf(when, row)).filter(({ faults: [fault] }) => isMade(when, fault)),
  );
  return [...UNDER_LOAD.flatMap((row) => casesOf("load", row)), ...ends];
}

function casesOf(when: Case["when"], [calls, places, whats, consequence, after]: Row): readonly Case[] {
  const cases: Case[] = [];
  for (const place of places) {
    for (const what of whats) {
      const blocks = typeof what === "object" && "block" in what;
      for (const lasting of durations(when, what, after !== undefined)) {
        const fault: Fault = { calls, places: [place], what, ...(lasting ? {} : { count: 1 }) };
        const name = `${when}: ${calls.join("|")} ${place} ${lasting ? "lasting" : "once"} ${wordOf(what)}`;
        const faults = after === undefined ? ([fault] as const) : ([fault, after] as const);
        // A disk that only takes its time, or less at a time, has lost nothing and refuses nothing.
        cases.push({ ...consequence, ...mildnessOf(what), name, when, faults, lasting, blocks });
      }
    }
  }
  return cases;
}

function mildnessOf(what: What): Partial<Consequence> {
  if (what === "short") return { outcome: "heals", refuses: false };
  return typeof what === "object" && "block" in what ? { outcome: "heals" } : {};
}

// A block of one call holds its thread as long as it lasts; a start that meets an error once has met it.
function durations(when: Case["when"], what: What, isBroughtAbout: boolean): readonly boolean[] {
  if (typeof what === "object" && "block" in what) return [false];
  if (when !== "load") return what === "short" ? [true] : [false, true];
  return isBroughtAbout ? [true] : [false, true];
}

function wordOf(what: What): string {
  if (typeof what === "string") return what;
  return "fail" in what ? what.fail : "block";
}
