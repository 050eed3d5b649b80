import * as z from "zod";
import { camelKey } from "./camel.ts";
import { formatListenAddress, type ListenAddress } from "./listen-address.ts";
import type { Loaded } from "./load.ts";
import { formatOctetsExactly } from "./octets.ts";
import { options, sections, type OptionEntry, type SectionEntry } from "./options.ts";
import type { Language } from "./language.ts";
import type { Source } from "./problem.ts";
import { schema, type Config } from "./schema.ts";

/** One value of a configuration and where it came from; undefined: it is not set and has no default. */
export type Row = { readonly key: string; readonly value: string | undefined; readonly source: Source };

/** Every value that holds, in the order of the schema. */
export function explain({ config, sources }: Loaded): readonly Row[] {
  return sections.flatMap((section) =>
    section.list ? listRows(section, config, sources) : mapRows(section, config, sources),
  );
}

function mapRows(section: SectionEntry, config: Config, sources: Loaded["sources"]): readonly Row[] {
  return section.options.map((option): Row => {
    const key = option.path.join(".");
    const source = sources.get(key) ?? { kind: "default" };
    return { key, value: formatValue(option, valueOf(config, option.path)), source };
  });
}

function listRows(section: SectionEntry, config: Config, sources: Loaded["sources"]): readonly Row[] {
  const members = (config as Readonly<Record<string, unknown>>)[section.name] as readonly object[];
  return members.flatMap((member, index) =>
    section.options.map((option): Row => {
      const name = option.path.at(-1) ?? "";
      const place = `${section.name}[${index}]`;
      const key = `${place}.${name}`;
      // A member that the file has leaves some of its keys to the defaults; one of the environment comes as a whole.
      const whole = sources.get(place) === undefined ? sources.get(section.name) : undefined;
      const source = sources.get(key) ?? whole ?? { kind: "default" };
      return { key, value: formatValue(option, valueOf(member, [name])), source };
    }),
  );
}

function valueOf(tree: unknown, path: readonly string[]): unknown {
  return path.reduce((value, key) => (value as Readonly<Record<string, unknown>>)[camelKey(key)], tree);
}

function formatValue(option: OptionEntry, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return (value as ListenAddress[]).map(formatListenAddress).join(", ");
  if (option.meta.octets && typeof value === "number") return formatOctetsExactly(value);
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
    if (section.list) {
      const differ = JSON.stringify(valueOf(before, [section.name])) !== JSON.stringify(valueOf(after, [section.name]));
      if (differ) restart.push(section.name);
      continue;
    }
    for (const { path, meta } of section.options) {
      if (valueOf(before, path) === valueOf(after, path)) continue;
      (meta.reload === "live" ? live : restart).push(path.join("."));
    }
  }
  return { live, restart };
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

function exampleLines({ path, meta, fallback }: OptionEntry, section: SectionEntry, language: Language): string[] {
  const key = path.at(-1) ?? "";
  // A version must stay a text; no other default needs quotes.
  const fixed = typeof fallback === "string" && !/^\d[\d.]*$/.test(fallback) ? fallback : JSON.stringify(fallback);
  const first = section.options[0]?.path.at(-1) === key;
  const lead = section.list ? (first ? "# - " : "#   ") : "# ";
  const help = `${meta.help[language]}${defaultWords(meta.absent?.[language] ?? fallback, language)}`;
  return [`  # ${help}`, `  ${lead}${key}: ${meta.example ?? fixed ?? ""}`];
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
