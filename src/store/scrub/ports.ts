import type { Result } from "../../lib/result.ts";
import type { WriteFailure } from "../ports.ts";
import type { Mend } from "./mend.ts";
import type { ScrubState } from "./report.ts";

/** What a scrub asks of the writer, and what is known of scrubs. */
export type Scrubbing = {
  /** Mends one thing in one transaction; false: it is not as it was found (any more). */
  mend(mend: Mend): Promise<Result<boolean, WriteFailure>>;
  /** Keeps how far a scrub is; one that ended is the last one then. */
  noteScrub(state: ScrubState): Promise<Result<void, WriteFailure>>;
  /** The one that is under way or was interrupted, and the last one that came to its end. */
  scrubs(): Promise<{ readonly current?: ScrubState; readonly last?: ScrubState }>;
};
