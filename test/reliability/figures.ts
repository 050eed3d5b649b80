import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { writeReliabilityPages } from "../../scripts/reliability.ts";

/** What a run of one of the proofs found; docs/reliability.md shows the last one that was kept. */
export type Figures = {
  /** Of its file in docs/reliability/. */
  readonly name: string;
  /** What was run, as it is typed. */
  readonly command: string;
  readonly rows: readonly (readonly [what: string, figure: string])[];
};

/** The same as it is kept, with the machine that they were found on. */
export type KeptFigures = Omit<Figures, "name"> & { readonly machine: string };

const folder = path.resolve(import.meta.dirname, "../../docs/reliability");

/** Prints the figures of a run; `keep`: and writes them down, with the machine's size, and docs/reliability.md anew. */
export function reportFigures(figures: Figures, keep: boolean): void {
  const width = Math.max(...figures.rows.map(([what]) => what.length));
  for (const [what, figure] of figures.rows) console.log(`${what.padEnd(width)}  ${figure}`);
  if (!keep) return;
  mkdirSync(folder, { recursive: true });
  const kept: KeptFigures = { command: figures.command, machine: machine(), rows: figures.rows };
  writeFileSync(path.join(folder, `${figures.name}.json`), `${JSON.stringify(kept, null, 2)}\n`);
  writeReliabilityPages();
}

function machine(): string {
  const [first] = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return `${os.cpus().length} × ${first?.model.trim() ?? "unknown"}, ${memory} GiB, Linux ${os.release()}, Node ${process.versions.node}`;
}
