import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Language } from "../src/config/language.ts";
import type { KeptFigures } from "../test/reliability/figures.ts";
import { filesByPromise, readPromises } from "../test/promise-names.ts";
import { table } from "./markdown.ts";

const root = path.resolve(import.meta.dirname, "..");
const PAGES: Readonly<Record<Language, string>> = { en: "docs/reliability.md", zh: "docs/reliability.zh-CN.md" };

/** What was found, by which run, and the commit that mended it; rooms add to docs/reliability/findings.json. */
type Finding = {
  readonly found: string;
  /** The same in Chinese, where somebody has written it. */
  readonly zh?: string;
  /** The command, or what else it was. */
  readonly by: string;
  /** The subject of the commit. */
  readonly mended: string;
};

const WORDS = {
  en: {
    ran: (command: string, machine: string) => `\`${command}\`, on ${machine}:`,
    missing: (command: string) => `Not run yet: \`${command}\`.`,
    what: "what",
    figure: "figure",
    findings: ["found", "by", "mended by"],
    promises: ["promise", "tests of `npm test` that name it"],
  },
  zh: {
    ran: (command: string, machine: string) => `\`${command}\`，运行环境：${machine}：`,
    missing: (command: string) => `尚未运行：\`${command}\`。`,
    what: "项目",
    figure: "结果",
    findings: ["发现的问题", "发现途径", "修复提交"],
    promises: ["承诺", "`npm test` 中以其命名的测试数"],
  },
} as const;

/** How each part is run, for a figure that is not there yet. */
const COMMANDS: Readonly<Record<string, string>> = {
  sim: "npm run sim -- --seeds 20000 --write",
  mutants: "npm run sim -- --mutants --write",
  kills: "npm run torture -- kills --kills 200 --write",
  disk: "npm run torture -- disk --write",
  power: "npm run torture -- power --write",
  full: "npm run torture -- full --write",
  rot: "npm run measure -- rot --write",
  upgrades: "npm run measure -- upgrades --write",
  size: "npm run measure -- size --write",
  overload: "npm run measure -- overload --write",
  soak: "npm run soak -- --write",
};

/** The pages of what was measured, by their path: prose as it stands there, with what is between its marks made anew. */
export function reliabilityPages(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(PAGES).map(([language, file]) => [file, filled(readText(file), language as Language)] as const),
  );
}

/** Writes them. */
export function writeReliabilityPages(): void {
  for (const [file, text] of reliabilityPages()) writeFileSync(path.join(root, file), text);
}

function filled(page: string, language: Language): string {
  const mark = /<!-- (figures [a-z]+|findings|promises) -->\n[^]*?<!-- end -->/g;
  const filling = page.replace(mark, (_, what: string) => `<!-- ${what} -->\n${made(what, language)}\n<!-- end -->`);
  const missing = Object.keys(COMMANDS).filter((name) => !filling.includes(`<!-- figures ${name} -->`));
  if (missing.length > 0) throw new Error(`${PAGES[language]} has no place for the figures of ${missing.join(", ")}`);
  return filling;
}

function made(what: string, language: Language): string {
  if (what === "findings") return findingsTable(language);
  if (what === "promises") return promisesTable(language);
  return figuresPart(what.slice("figures ".length), language);
}

function figuresPart(name: string, language: Language): string {
  const words = WORDS[language];
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`there are no figures of the name ${name}`);
  const file = `docs/reliability/${name}.json`;
  if (!existsSync(path.join(root, file))) return words.missing(command);
  const kept = JSON.parse(readText(file)) as KeptFigures;
  return `${words.ran(kept.command, kept.machine)}\n\n${table([words.what, words.figure], kept.rows)}`;
}

function findingsTable(language: Language): string {
  const findings = JSON.parse(readText("docs/reliability/findings.json")) as readonly Finding[];
  const rows = findings.map(({ found, zh, by, mended }) => [language === "zh" ? (zh ?? found) : found, by, mended]);
  return table(WORDS[language].findings, rows);
}

function promisesTable(language: Language): string {
  const named = filesByPromise();
  const rows = readPromises().map(({ id, sentence, zh }) => [
    `**${id}** ${language === "zh" ? zh : sentence}`,
    String(named.get(id)?.length ?? 0),
  ]);
  return table(WORDS[language].promises, rows);
}

// How many tests name a promise grows with every other commit: nobody is kept for that.
function withoutCounts(page: string): string {
  return page.replace(/^(\| \*\*P\d+\*\* .*\|) \d+ \|$/gm, "$1");
}

function readText(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}

if (import.meta.main) {
  if (process.argv[2] === "--check") {
    const stale = [...reliabilityPages()].filter(
      ([file, text]) => withoutCounts(readText(file)) !== withoutCounts(text),
    );
    for (const [file] of stale) process.stdout.write(`${file} is not what scripts/reliability.ts makes: run it\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    writeReliabilityPages();
  }
}
