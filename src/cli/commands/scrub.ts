import type { FindingRow, ScrubReport } from "../../admin/scrub.ts";
import { formatOctets } from "../../config/octets.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { answer, UsageError, type Context, type Given } from "../context.ts";
import { formatDate } from "../format-date.ts";
import { scrubLine } from "../progress.ts";
import { renderTable } from "../table.ts";

/** `mailkeep store scrub [--repair] [--rate MB/s] [--restart]`; 0: all is well, or is again; 1: something is wrong. */
export async function scrubStore(context: Context, { options }: Given): Promise<number> {
  const input = {
    repair: options["repair"] === true,
    restart: options["restart"] === true,
    ...readRate(context, options),
  };
  const listener = { progress: scrubLine(context.world.stderr, context.say) };
  const report = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("store.scrub", input, listener)),
  );
  return tell(context, report);
}

/** `mailkeep maildrop scrub ADDRESS [--rate MB/s]` */
export async function scrubMaildrop(context: Context, { words: [address = ""], options }: Given): Promise<number> {
  const input = { address, ...readRate(context, options) };
  const report = await withAdmin(context, async (admin) => valueOf(context, await admin.call("maildrop.scrub", input)));
  return tell(context, report);
}

function readRate({ say }: Context, { rate }: Given["options"]): { readonly rate?: number } {
  if (typeof rate !== "string") return {};
  const megabytes = /^\d{1,5}(\.\d{1,3})?$/.test(rate) ? Number(rate) : 0;
  if (megabytes === 0) throw new UsageError(say("usage.bad-rate", { text: rate }));
  return { rate: megabytes };
}

function tell(context: Context, report: ScrubReport): number {
  answer(context, report, () => textOf(context, report).join("\n"));
  return report.found > report.mended ? 1 : 0;
}

function textOf(context: Context, report: ScrubReport): readonly string[] {
  const { say } = context;
  const { found, mended, findings, resumed } = report;
  const { messages, bodies } = report;
  const figures = { messages, bodies, octets: formatOctets(report.octets), time: timeOf(context, report) };
  const looked = say(resumed ? "scrub.looked-on" : "scrub.looked", figures);
  if (found === 0) return [looked, say("scrub.well")];
  const ofMessages = findings.filter(({ uidl }) => uidl !== undefined);
  const others = findings.filter(({ uidl }) => uidl === undefined);
  const hidden = found - findings.length;
  return [
    looked,
    ...(ofMessages.length === 0 ? [] : ["", messageTable(context, ofMessages)]),
    ...(others.length === 0 ? [] : ["", otherTable(context, others)]),
    ...(hidden === 0 ? [] : [say("scrub.more", { count: hidden })]),
    "",
    say("scrub.found", { found, mended }),
    ...nextSteps(context, findings),
  ];
}

function timeOf({ say }: Context, { started, ended }: ScrubReport): string {
  const seconds = Math.max(1, Math.round((Date.parse(ended) - Date.parse(started)) / 1000));
  return seconds < 120
    ? say("scrub.seconds", { count: seconds })
    : say("scrub.minutes", { count: Math.round(seconds / 60) });
}

function messageTable(context: Context, findings: readonly FindingRow[]): string {
  const { say } = context;
  return renderTable(
    [
      { title: say("scrub.maildrop") },
      { title: say("maildrop.uidl") },
      { title: say("maildrop.octets"), right: true },
      { title: say("maildrop.received") },
      { title: say("scrub.what") },
      { title: say("scrub.done") },
    ],
    findings.map((finding) => [
      maildropOf(finding),
      finding.uidl ?? "",
      formatOctets(Math.max(0, finding.octets ?? 0)),
      finding.received === undefined ? "" : formatDate(finding.received),
      say(`scrub.${finding.kind}`),
      doneOf(context, finding),
    ]),
  );
}

function otherTable(context: Context, findings: readonly FindingRow[]): string {
  const { say } = context;
  return renderTable(
    [{ title: say("scrub.what") }, { title: say("scrub.where") }, { title: say("scrub.done") }],
    findings.map((finding) => {
      const where = [maildropOf(finding), finding.detail].filter((word) => word !== "").join(": ");
      return [say(`scrub.${finding.kind}`), where, doneOf(context, finding)];
    }),
  );
}

function maildropOf({ address = "", mailbox }: FindingRow): string {
  return mailbox === undefined || mailbox === "INBOX" ? address : `${address} ${mailbox}`;
}

function doneOf({ say }: Context, { mended, mendable }: FindingRow): string {
  if (mended) return say("word.yes");
  return say(mendable ? "scrub.not-yet" : "word.no");
}

function nextSteps({ say }: Context, findings: readonly FindingRow[]): readonly string[] {
  const left = findings.filter(({ mended }) => !mended);
  return [
    ...(left.some(({ mendable }) => mendable) ? [say("scrub.next-repair")] : []),
    ...(left.some(({ uidl, mendable }) => uidl !== undefined && !mendable) ? [say("scrub.next-messages")] : []),
    ...(left.some(({ kind }) => kind === "database") ? [say("scrub.next-database")] : []),
  ];
}
