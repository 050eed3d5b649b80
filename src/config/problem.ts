import type { Language } from "./language.ts";
import type { Words } from "./option.ts";

/** Where a value came from. Lines and columns count from 1. */
export type Source =
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "environment"; readonly name: string };

/** One thing that is wrong with a configuration. */
export type Problem = {
  readonly source: Source;
  /** As `limits.message_octets` or `listeners[0].tls`; "" where it is the file as a whole. */
  readonly key: string;
  /** What is wrong, or what was expected. */
  readonly reason: Words;
  /** What stood there instead of the expected. */
  readonly found?: Words;
  /** The nearest right key or value. */
  readonly suggestion?: string;
};

/** Where a value came from, in one word for tables and messages. */
export function describeSource(source: Source, language: Language): string {
  if (source.kind === "file") return `${source.file}:${source.line}:${source.column}`;
  if (source.kind === "default") return language === "zh" ? "默认值" : "default";
  return language === "zh" ? `环境变量 ${source.name}` : `environment ${source.name}`;
}

/** A problem as one line: where, which key, what was expected, what was found, what was perhaps meant. */
export function describeProblem(problem: Problem, language: Language): string {
  const { key, found, suggestion } = problem;
  const where = problem.source.kind === "default" ? "" : `${describeSource(problem.source, language)}: `;
  const start = `${where}${key === "" ? "" : `${key}: `}${problem.reason[language]}`;
  if (language === "zh") {
    return `${start}${found === undefined ? "" : `；实际为 ${found.zh}`}${suggestion === undefined ? "" : `；是否想写 ${suggestion}？`}`;
  }
  return `${start}${found === undefined ? "" : `; found ${found.en}`}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`;
}
