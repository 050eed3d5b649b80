import assert from "node:assert/strict";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { BODY_MEMORY_MIB, House, LARGE, MEDIUM, SMALL, type Reading, type Sent } from "./overload/house.ts";

/*
 * "Overload" of issue 5: more comes than the store commits, from connections that send as fast as they can, on a disk whose
 * every sync takes its time. Senders have to be slowed, memory has to stay within bounds, and who fetches mail must hardly notice.
 */

/**
 * POP3 under load may take so many times what it takes without: the figure. Of the median: senders and server share
 * the machine, and what comes late now and then is whose turn it was.
 */
const MOST_SLOWER = 3;
/** Bodies on their way in, the page cache of SQLite, and what V8 takes for itself under load. */
const MOST_MEMORY_MIB = BODY_MEMORY_MIB + 32 + 160;
/** What V8 took under load it gives back when it likes; what is lost in each overload would be far more than this. */
const MOST_KEPT_MIB = 160;
/** After it a session may take so many times what it took before: the machine has other work as well. */
const MOST_SLOWER_AFTER = 1.5;

/** `--seconds N` of load, `--connections N`, `--sync-ms N`: what a sync takes. */
export async function run(options: PartOptions): Promise<Figures> {
  const seconds = Number(options["seconds"] ?? 15);
  const connections = Number(options["connections"] ?? 300);
  const syncMs = Number(options["sync-ms"] ?? 20);
  await using stack = new AsyncDisposableStack();
  const house = await House.open(stack, { syncMs, connections });
  await house.read(3);
  const quiet = await house.read(seconds / 2);
  using memory = house.watchMemory();
  const sending = Promise.all([SMALL, MEDIUM, LARGE].map((mail) => house.send(mail, seconds + 4)));
  await house.busy();
  const busy = await house.read(seconds);
  const most = await house.queueMost();
  const sent = await sending;
  await house.calm();
  const after = await house.read(seconds / 2);
  const kept = memory.now;
  const course = { quiet, busy, after, raise: memory.raise, kept, sent };
  const failures = judge(course);
  const rows = rowsOf({ ...course, syncMs, connections, most });
  if (failures.length > 0) {
    for (const [what, figure] of rows) console.log(`${what}: ${figure}`);
    assert.deepEqual(failures, []);
  }
  return { name: "overload", command: `npm run measure -- overload --seconds ${seconds}`, rows };
}

type Course = {
  readonly quiet: Reading;
  readonly busy: Reading;
  readonly after: Reading;
  readonly raise: number;
  readonly kept: number;
  readonly sent: readonly Sent[];
};

function judge({ quiet, busy, after, raise, kept, sent }: Course): string[] {
  const failures: string[] = [];
  const must = (holds: boolean, words: string): void => void (holds || failures.push(words));
  const times = busy.p50 / quiet.p50;
  must(times <= MOST_SLOWER, `POP3 takes ${times.toFixed(1)} times as long under load`);
  must(after.p50 <= quiet.p50 * MOST_SLOWER_AFTER, `POP3 takes ${ms(after.p50)} after it, ${ms(quiet.p50)} before`);
  must(raise <= MOST_MEMORY_MIB, `it took ${raise.toFixed(0)} MiB more`);
  must(kept <= MOST_KEPT_MIB, `it kept ${kept.toFixed(0)} MiB`);
  for (const { acknowledged, errors } of sent) {
    must(acknowledged > 0, "it acknowledged some");
    for (const kind of Object.keys(errors)) must(/^reply_(421|452):/.test(kind), `senders met ${kind}`);
  }
  return failures;
}

function rowsOf(
  course: Course & {
    readonly syncMs: number;
    readonly connections: number;
    readonly most: number;
  },
): (readonly [string, string])[] {
  const { quiet, busy, after, sent } = course;
  return [
    ["a sync of the disk takes", `${course.syncMs} ms more than it would`],
    ["senders at once", `${course.connections}, each as fast as it can`],
    ...sent.map(
      ({ mail, perSecond, mbPerSecond, p99 }) =>
        [
          `messages of ${mail.size.replace("log:", "")} octets acknowledged`,
          `${perSecond.toFixed(0)} a second (${mbPerSecond.toFixed(1)} MB), 99 % within ${(p99 / 1e6).toFixed(1)} s`,
        ] as const,
    ),
    ["refused with 421 or 452", String(sent.reduce((sum, { refused }) => sum + refused, 0))],
    ["most that waited for the store", `${course.most} calls`],
    ["memory above the quiet", `${course.raise.toFixed(0)} MiB at most, ${course.kept.toFixed(0)} MiB afterwards`],
    ...(
      [
        ["quiet", quiet],
        ["under load", busy],
        ["afterwards", after],
      ] as const
    ).map(
      ([when, { p50, p90, p99 }]) =>
        [
          `POP3 session with STAT, UIDL, LIST, RETR, ${when}`,
          `${ms(p50)} median, ${ms(p90)} p90, ${ms(p99)} p99`,
        ] as const,
    ),
    ["times the quiet median, p90", `${(busy.p50 / quiet.p50).toFixed(2)}, ${(busy.p90 / quiet.p90).toFixed(2)}`],
  ];
}

function ms(microseconds: number): string {
  return `${(microseconds / 1000).toFixed(1)} ms`;
}
