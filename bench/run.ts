import path from "node:path";
import { mkdirSync } from "node:fs";
import { mustRun } from "../test/e2e/harness/process.ts";
import { buildRig, type LoadReport, type Rig } from "../test/e2e/harness/rig.ts";
import { scratch } from "../test/e2e/harness/scratch.ts";
import { figures, type Figure } from "./figures.ts";
import { idleMib, proportionalMib } from "./idle.ts";
import { readOptions, type BenchOptions } from "./options.ts";
import { reportJson, reportTable, type Row } from "./report.ts";
import { makeUsers, startDovecotSide, startMailkeepSide, type Side } from "./sides.ts";

/*
 * Mailkeep beside Debian's Dovecot, tuned by hand: the same users, the same mail, in turn in one go. Figures are for each
 * CPU second of the server, all its processes and threads: the clock alone says little where the load generator shares
 * the cores. When a tool counted an error nothing is reported but the errors.
 */
const receivers = 50;
const messagesEach = 20;
const errors: string[] = [];

const options = readOptions(process.argv.slice(2));
if (options === undefined) process.exitCode = 2;
else process.exitCode = await bench(options);

async function bench(given: BenchOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const place = path.join(scratch(stack), "rig");
  mkdirSync(place);
  tell("building the load tools");
  const rig = await buildRig(place);
  const readers = makeUsers("r", given.users);
  const all = [...readers, ...makeUsers("d", receivers)];
  const files = {
    readers: rig.users("readers.txt", readers),
    receivers: rig.users("receivers.txt", all.slice(given.users)),
  };
  tell(`starting both servers with ${all.length} users`);
  const dovecot = await startDovecotSide(stack, rig, rig.users("users.txt", all));
  const mailkeep = await startMailkeepSide(stack, all);
  const sides = [dovecot, mailkeep];
  const none = { dovecot: await proportionalMib(rig, dovecot), mailkeep: await proportionalMib(rig, mailkeep) };
  for (const side of sides) await prepare(rig, side, given.users, files.readers);

  const rows = await measure(rig, sides, figures(given, files), given.rounds);
  const many = { dovecot: 0, mailkeep: 0 };
  for (const side of sides) {
    tell(`${given.users} idle sessions at ${side.name}`);
    const { mib, end } = await idleMib(rig, side, { users: files.readers, sessions: given.users });
    note(side, "idle", JSON.parse(end.text) as LoadReport);
    many[side.name] = mib;
  }
  if (errors.length > 0) {
    process.stderr.write(`Nothing is reported: errors were counted.\n${errors.join("\n")}\n`);
    return 1;
  }
  const idle = {
    dovecot: { none: none.dovecot, many: many.dovecot },
    mailkeep: { none: none.mailkeep, many: many.mailkeep },
  };
  const outcome = { rounds: given.rounds, sessions: given.users, rows, idle };
  process.stdout.write(given.json ? reportJson(outcome) : reportTable(outcome));
  return 0;
}

/** Fills the maildrops, and logs everybody in once, so that each password was checked before anything is measured. */
async function prepare(rig: Rig, side: Side, users: number, file: string): Promise<void> {
  tell(`filling ${users} maildrops of ${side.name}`);
  const fill = path.join(rig.folder, "make-maildrops");
  const what = ["--lmtp", "--ordinary", String(users), "--each", String(messagesEach)];
  await mustRun("sh", [fill, String(side.lmtp), file, ...what], { seconds: 600 });
  const everybody = ["--script", "login", "--sessions", String(users), "--seconds", "300", "--conns", "10"];
  const report = await rig.load("popload", ["--port", String(side.pop3), "--users", file, ...everybody], 310);
  note(side, "first logins", report);
}

/** Each figure on each side, in turn, round after round. */
async function measure(rig: Rig, sides: readonly Side[], list: readonly Figure[], rounds: number): Promise<Row[]> {
  const rows = list.map(({ name, unit }): Row => {
    return { name, unit, dovecot: { perCpu: [], perSecond: [] }, mailkeep: { perCpu: [], perSecond: [] } };
  });
  for (let round = 1; round <= rounds; round += 1) {
    tell(`round ${round} of ${rounds}`);
    for (const [index, figure] of list.entries()) {
      for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
        const report = await rig.load(figure.tool, figure.words(side), 120);
        note(side, figure.name, report);
        rows[index]?.[side.name].perCpu.push(Number(report[figure.perCpu]));
        rows[index]?.[side.name].perSecond.push(Number(report[figure.perSecond]));
      }
    }
  }
  return rows;
}

function note(side: Side, what: string, report: LoadReport): void {
  if (Object.keys(report.errors).length > 0) errors.push(`${side.name}, ${what}: ${JSON.stringify(report.errors)}`);
}

function tell(what: string): void {
  process.stderr.write(`bench: ${what}\n`);
}
