import type { Mend } from "./mend.ts";
import type { Finding, ScrubRequest, ScrubState } from "./report.ts";

/** What a scrub's thread is started with. */
export type ScrubData = { readonly folder: string; readonly request: ScrubRequest; readonly from: ScrubState };

/** From that thread to who started it. */
export type FromScrub =
  | { readonly ask: number; readonly mend?: Mend; readonly note?: ScrubState }
  | { readonly finding: Finding }
  | { readonly progress: { readonly done: number; readonly total: number } }
  | { readonly done: ScrubState }
  | { readonly stopped: true };

/** And back. */
export type ToScrub = { readonly answer: number; readonly done: boolean } | { readonly stop: true };
