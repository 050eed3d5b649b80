import * as z from "zod";
import { camelKey } from "./camel.ts";
import type { Loaded } from "./load.ts";
import { formatOctetsExactly } from "./octets.ts";
import { options, sections, type OptionEntry, type SectionEntry } from "./options.ts";
import type { Language } from "./language.ts";
import { formatPath, type Path } from "./path.ts";
import { sourceOf } from "./places.ts";
import type { Source } from "./problem.ts";
import { schema, type Config } from "./schema.ts";
import { valueAt } from "./tree.ts";

/** One value of a configuration and where it came from; undefined: it is not set and has no default. */
export type Row = { readonly key: string; readonly value: string | undefined; readonly source: Source };

/** Every value that holds, in the order of the schema. */
export function explain({ config, sources }: Loaded): readonly Row[] {
  return sections.flatMap((section) => {
    const value = valueAt(config, [section.name]);
    if (!section.list) return rowsIn(section.options, [section.name], value, sources);
    return (value as readonly object[]).flatMap((member, index) =>
      rowsIn(section.options, [section.name, index], member, sources),
    );
  });
}

function rowsIn(
  entries: readonly OptionEntry[],
  place: Path,
  tree: unknown,
  sources: Loaded["sources"],
): readonly Row[] {
  return entries
    .filter((option) => option.path.length === place.length + 1)
    .flatMap((option): readonly Row[] => {
      const key = option.path.at(-1) ?? "";
      const at = [...place, key];
      const value = valueAt(tree, [camelKey(key)]);
      const isEmpty = value === undefined || (Array.isArray(value) && value.length === 0);
      if (option.meta.group === undefined || isEmpty) {
        const shown = isEmpty ? undefined : formatValue(option, value);
        return [{ key: formatPath(at), value: shown, source: sourceOf(at, sources) }];
      }
      const inside = entries.filter(({ path }) => option.path.every((step, index) => path[index] === step));
      if (!Array.isArray(value)) return rowsIn(inside, at, value, sources);
      return value.flatMap((member, index) => rowsIn(inside, [...at, index], member, sources));
    });
}

function formatValue({ meta }: OptionEntry, value: unknown): string {
  if (meta.show !== undefined) return meta.show(value);
  if (meta.octets && typeof value === "number") return formatOctetsExactly(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The keys in which two configurations differ, by what a reload may do about them. */
export function changes(
  before: Config,
  after: Config,
): { readonly live: readonly string[]; readonly restart: readonly string[] } {
  const live: string[] = [];
  const restart: string[] = [];
  for (const section of sections) {
    // A list or a map that may be left out is told as a whole: its members come and go.
    const whole = section.list ? [{ path: [section.name], reload: "restart" }] : outermost(section.options);
    for (const { path, reload } of whole) {
      const keys = path.map(camelKey);
      if (JSON.stringify(valueAt(before, keys)) === JSON.stringify(valueAt(after, keys))) continue;
      (reload === "live" ? live : restart).push(path.join("."));
    }
  }
  return { live, restart };
}

function outermost(inside: readonly OptionEntry[]): readonly { path: readonly string[]; reload: string }[] {
  return inside.filter(({ path }) => path.length === 2).map(({ path, meta }) => ({ path, reload: meta.reload }));
}

/** A configuration file with every option, its help and its default, all commented out. */
export function exampleFile(language: Language): string {
  const head = {
    en: "# Mailkeep's configuration: every option. Take away the # before what you want to set.",
    zh: "# Mailkeep 配置文件，包含全部选项。去掉行首的 # 即可设置。",
  };
  const parts = sections.map((section) => {
    const lines = section.options.flatMap((option) => exampleLines(option, section, language));
    return [`# ${section.help[language]}`, `${section.name}:`, ...lines].join("\n");
  });
  return `${[head[language], ...parts].join("\n\n")}\n`;
}

function exampleLines(option: OptionEntry, section: SectionEntry, language: Language): string[] {
  const { path, meta, fallback } = option;
  const key = path.at(-1) ?? "";
  // A version must stay a text; no other default needs quotes.
  const fixed = typeof fallback === "string" && !/^\d[\d.]*$/.test(fallback) ? fallback : JSON.stringify(fallback);
  const value = meta.group === undefined ? ` ${meta.example ?? fixed ?? ""}` : "";
  const help = `${meta.help[language]}${defaultWords(meta.absent?.[language] ?? fallback, language)}`;
  // In a group a line of help has to stay a comment when its options are taken in.
  const deep = path.filter((step) => step !== "*").length > 2;
  return [`  # ${deep ? `${indent(path)}# ` : ""}${help}`, `  # ${lead(path, section)}${key}:${value}`];
}

// What stands between the # of the line and the key, so that it is right as YAML without the #.
function lead(path: readonly string[], section: SectionEntry): string {
  if (path.at(-2) !== "*") return indent(path);
  const first = section.options.find((other) => other.path.length === path.length && startsAs(other.path, path));
  return first?.path.at(-1) === path.at(-1) ? `${indent(path).slice(2)}- ` : indent(path);
}

function startsAs(path: readonly string[], other: readonly string[]): boolean {
  return path.slice(0, -1).every((step, index) => step === other[index]);
}

// Two blanks for each map and list around it but the section.
function indent(path: readonly string[]): string {
  return "  ".repeat(path.length - 2);
}

function defaultWords(fallback: string | number | boolean | undefined, language: Language): string {
  if (fallback === undefined) return "";
  return language === "zh" ? `（默认：${fallback}）` : ` (Default: ${fallback}.)`;
}

/** The JSON Schema of the file, for editors. */
export function jsonSchema(language: Language): object {
  const made = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema: node }) => {
      const option = options.find(({ type }) => type === zodSchema);
      const section = sections.find(({ type }) => type === zodSchema);
      const help = option?.meta.help ?? section?.help;
      if (help !== undefined) node.description = help[language];
      // An empty section is as good as none.
      if (section !== undefined) node.type = [section.list ? "array" : "object", "null"] as unknown as "object";
    },
  });
  return { ...made, title: "mailkeep.yaml" };
}
