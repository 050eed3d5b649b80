import os from "node:os";
import { readFileSync } from "node:fs";
import type { Idle } from "./idle.ts";

/** The rounds of one figure on one side. */
export type Rounds = { readonly perCpu: number[]; readonly perSecond: number[] };

export type Row = {
  readonly name: string;
  readonly unit: string;
  readonly dovecot: Rounds;
  readonly mailkeep: Rounds;
};

export type Outcome = {
  readonly rounds: number;
  readonly sessions: number;
  readonly rows: readonly Row[];
  readonly idle: Readonly<Record<"dovecot" | "mailkeep", Idle>>;
};

/** The machine that the figures hold for. */
export function machine(): string {
  const [first] = os.cpus();
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  return `${os.cpus().length} × ${first?.model.trim()}, ${memory}, Linux ${os.release()}; Mailkeep ${version}, Node ${process.version}`;
}

/** Everything as one JSON object. */
export function reportJson(outcome: Outcome): string {
  const rows = outcome.rows.map((row) => ({
    name: row.name,
    unit: row.unit,
    dovecot: { per_cpu_s: spread(row.dovecot.perCpu), per_s: spread(row.dovecot.perSecond) },
    mailkeep: { per_cpu_s: spread(row.mailkeep.perCpu), per_s: spread(row.mailkeep.perSecond) },
    ratio_per_cpu_s: ratio(row.mailkeep.perCpu, row.dovecot.perCpu),
    ratio_per_s: ratio(row.mailkeep.perSecond, row.dovecot.perSecond),
  }));
  const { rounds, sessions, idle } = outcome;
  return `${JSON.stringify({ machine: machine(), rounds, rows, idle_pss_mib: { sessions, ...idle } }, null, 2)}\n`;
}

/** Everything as a table in Markdown. */
export function reportTable({ rounds, sessions, rows, idle }: Outcome): string {
  const lines = [
    machine(),
    `Medians of ${rounds} interleaved rounds [least..most]; servers and load share the machine.`,
    "",
    "| figure | Dovecot /CPU-s | Mailkeep /CPU-s | ratio | Dovecot /s | Mailkeep /s | ratio |",
    "|---|---|---|---|---|---|---|",
    ...rows.map((row) => {
      const cells = [row.dovecot.perCpu, row.mailkeep.perCpu, row.dovecot.perSecond, row.mailkeep.perSecond].map(cell);
      const [perCpu, perSecond] = [
        ratio(row.mailkeep.perCpu, row.dovecot.perCpu),
        ratio(row.mailkeep.perSecond, row.dovecot.perSecond),
      ].map((value) => `**${value.toFixed(2)}×**`);
      return `| ${row.name}, ${row.unit} | ${cells[0]} | ${cells[1]} | ${perCpu} | ${cells[2]} | ${cells[3]} | ${perSecond} |`;
    }),
    "",
    `| memory (PSS), MiB | Dovecot | Mailkeep |`,
    "|---|---|---|",
    `| no session | ${idle.dovecot.none.toFixed(1)} | ${idle.mailkeep.none.toFixed(1)} |`,
    `| ${sessions} idle sessions | ${idle.dovecot.many.toFixed(1)} | ${idle.mailkeep.many.toFixed(1)} |`,
  ];
  return `${lines.join("\n")}\n`;
}

function spread(values: readonly number[]): { median: number; least: number; most: number } {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

function cell(values: readonly number[]): string {
  const { median: middle, least, most } = spread(values);
  return `${round(middle)} [${round(least)}..${round(most)}]`;
}

function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours) / median(theirs);
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
