import type * as z from "zod";
import type { Document } from "./document.ts";
import type { Words } from "./option.ts";
import { keysAt, optionAt, options } from "./options.ts";
import { formatPath, type Path } from "./path.ts";
import { placeOf } from "./places.ts";
import type { Problem } from "./problem.ts";
import { nearest } from "./suggest.ts";
import { valueAt } from "./tree.ts";

type Issue = z.core.$ZodIssue;

/** Says of each thing that zod found wrong where it stands, what was expected, what was found and what was meant. */
export function problemsOf(issues: readonly Issue[], raw: unknown, places: Document["places"]): readonly Problem[] {
  return issues.flatMap((issue) => explainIssue(issue, [], raw, places));
}

function explainIssue(issue: Issue, base: Path, raw: unknown, places: Document["places"]): readonly Problem[] {
  const path = [...base, ...issue.path] as Path;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey([...path, key], path, places));
  }
  const inner = issue.code === "invalid_union" ? insideOf(issue) : undefined;
  if (inner !== undefined) return inner.flatMap((member) => explainIssue(member, path, raw, places));
  const own = issue.code === "custom" ? (issue.params?.["words"] as Words | undefined) : undefined;
  const source = placeOf(path, places, "value");
  if (own !== undefined) return [{ source, key: formatPath(path), reason: own }];
  const value = valueAt(raw, path);
  const hidden = optionAt(path)?.meta.secret === true && value !== undefined;
  const suggestion = hidden ? undefined : suggestValue(issue, value);
  const found = hidden ? HIDDEN : describeFound(value);
  const problem = { source, key: formatPath(path), reason: expected(path), found };
  return [suggestion === undefined ? problem : { ...problem, suggestion }];
}

// Of the alternatives of a union the one that fits so far that only members are wrong; undefined: none does.
function insideOf(issue: z.core.$ZodIssueInvalidUnion): readonly Issue[] | undefined {
  return issue.errors.find((issues) => issues.length > 0 && issues.every(({ path }) => path.length > 0));
}

function unknownKey(path: Path, parent: Path, places: Document["places"]): Problem {
  const key = String(path.at(-1));
  const elsewhere = options.find(({ path: own }) => own.at(-1) === key && !own.includes("*"));
  const suggestion = nearest(key, keysAt(parent)) ?? elsewhere?.path.join(".");
  const reason = { en: "unknown key", zh: "未知的配置项" };
  const problem = { source: placeOf(path, places, "key"), key: formatPath(path), reason };
  return suggestion === undefined ? problem : { ...problem, suggestion };
}

function expected(path: Path): Words {
  const words = optionAt(path)?.meta.expects ?? containerWords(path);
  return { en: `expected ${words.en}`, zh: `应为${words.zh}` };
}

function containerWords(path: Path): Words {
  if (path.length === 1 && path[0] === "listeners") {
    return { en: "a list of 1 to 64 listeners", zh: "监听器列表（1 至 64 个）" };
  }
  const keys = keysAt(path).join(", ");
  return { en: `keys of this section: ${keys}`, zh: `本节的配置项：${keys}` };
}

/** In the place of a secret, also of one that is wrong. */
const HIDDEN: Words = { en: "something else", zh: "其他内容" };
const FOUND_LENGTH = 60;

function describeFound(value: unknown): Words {
  if (value === undefined || value === null) return { en: "nothing", zh: "空" };
  if (Array.isArray(value)) return { en: "a list", zh: "列表" };
  if (typeof value === "object") return { en: "a map of keys", zh: "键值映射" };
  const text = JSON.stringify(value);
  const short = text.length > FOUND_LENGTH ? `${text.slice(0, FOUND_LENGTH)}…` : text;
  return { en: short, zh: short };
}

function suggestValue(issue: Issue, value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  if (issue.code === "invalid_value") return nearest(value, issue.values.map(String));
  const decimal = /^(\d+(?:\.\d+)?)\s*([KMGT])B?$/i.exec(value);
  return decimal === null ? undefined : `${decimal[1]} ${decimal[2]?.toUpperCase()}iB`;
}
