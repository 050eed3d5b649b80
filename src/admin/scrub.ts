import * as z from "zod";
import { ok } from "../lib/result.ts";
import type { Finding, ScrubState } from "../store/scrub/report.ts";
import { withMaildrop } from "./find.ts";
import { operation } from "./operation.ts";
import { refuse } from "./refusal.ts";

/** One thing that a scrub found wrong; `received` is ISO 8601. */
export type FindingRow = Omit<Finding, "received"> & { readonly received?: string };

/** What a scrub came to. */
export type ScrubReport = {
  /** ISO 8601. */
  readonly started: string;
  readonly ended: string;
  /** Whether it went on where one was interrupted, whose figures and findings are counted here too. */
  readonly resumed: boolean;
  readonly messages: number;
  readonly bodies: number;
  readonly octets: number;
  readonly found: number;
  readonly mended: number;
  readonly findings: readonly FindingRow[];
};

const MEGABYTE = 1_000_000;
/** In MB a second: what a disk of a small server gives beside its mail. */
const rate = z.number().min(0.001).max(100_000).default(20);

/** Walks all of the store; `repair`: mends what can be mended. */
export const scrubStore = operation(
  z.strictObject({ repair: z.boolean().default(false), restart: z.boolean().default(false), rate }),
  async ({ repair, restart, rate: megabytes }, { services, progress, signal }) => {
    if (repair) services.log.info("admin.change", { action: "store.scrub", subject: "store", detail: "repair" });
    const request = { repair, restart, octetsPerSecond: megabytes * MEGABYTE };
    const done = await services.scrubber.store(request, { progress, signal });
    return done.ok ? ok(reportOf(done.value.state, done.value.resumed)) : refuse(`scrub-${done.error}`);
  },
);

/** Walks one maildrop: its rows, its bodies and what it counts. Mends nothing: for that all of the store has to be known. */
export const scrubMaildrop = operation(
  z.strictObject({ address: z.string().max(1024), rate }),
  (input, { services, progress, signal }) =>
    withMaildrop(services, input.address, async ({ account, name, mailbox }) => {
      const request = { mailboxes: [mailbox], octetsPerSecond: input.rate * MEGABYTE };
      const done = await services.scrubber.maildrops(request, { progress, signal });
      if (!done.ok) return refuse(`scrub-${done.error}`);
      return ok({ address: account.address, mailbox: name, ...reportOf(done.value.state, false) });
    }),
);

function reportOf(state: ScrubState, resumed: boolean): ScrubReport {
  const { messages, bodies, octets, found, mended, findings } = state;
  return {
    started: new Date(state.started).toISOString(),
    ended: new Date(state.at).toISOString(),
    resumed,
    messages,
    bodies,
    octets,
    found,
    mended,
    findings: findings.map(rowOf),
  };
}

// A time that rotted may be none.
function rowOf({ received, ...finding }: Finding): FindingRow {
  const date = received === undefined ? undefined : new Date(received);
  return date === undefined || Number.isNaN(date.getTime()) ? finding : { ...finding, received: date.toISOString() };
}
