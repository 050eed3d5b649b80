import { readDocument } from "./document.ts";
import { optionAt, options } from "./options.ts";
import type { Problem, Source } from "./problem.ts";
import { nearest } from "./suggest.ts";

/** A value of the environment that takes the place of the file's. */
export type Override = { readonly path: readonly string[]; readonly value: unknown; readonly source: Source };

const LISTENERS = "MAILKEEP_LISTENERS";
const names = new Map<string, readonly string[]>([
  [LISTENERS, ["listeners"]],
  ...options.filter(({ path }) => !path.includes("*")).map(({ path }) => [environmentName(path), path] as const),
]);

/** The variable that overrides a key: MAILKEEP_SECTION__KEY. */
export function environmentName(path: readonly string[]): string {
  return `MAILKEEP_${path.join("__").toUpperCase()}`;
}

/**
 * Takes the overrides out of an environment. A variable of our form that names no key is a problem, also one with a
 * single underscore: it would be thought to hold. Others (MAILKEEP_PORT of a container platform) are not ours.
 */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): {
  readonly overrides: readonly Override[];
  readonly problems: readonly Problem[];
} {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(environment).toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    if (!name.startsWith("MAILKEEP_") || text === undefined) continue;
    const path = names.get(name);
    const source: Source = { kind: "environment", name };
    if (path === undefined) {
      const meant = suggestName(name);
      if (meant === undefined && !name.includes("__")) continue;
      const reason = { en: "this variable names no key", zh: "此环境变量不对应任何配置项" };
      problems.push({ source, key: "", reason, ...(meant === undefined ? {} : { suggestion: meant }) });
    } else if (optionAt(path)?.meta.verbatim === true) {
      overrides.push({ path, value: text, source });
    } else {
      const document = readDocument(text, () => source);
      problems.push(...document.problems.map((problem) => ({ ...problem, key: path.join(".") })));
      if (document.problems.length === 0) overrides.push({ path, value: document.value, source });
    }
  }
  return { overrides, problems };
}

function suggestName(name: string): string | undefined {
  if (name.includes("__")) return nearest(name, names.keys());
  return names.keys().find((known) => known !== LISTENERS && known.replace("__", "_") === name);
}
