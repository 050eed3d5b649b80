import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { environmentName } from "../src/config/environment.ts";
import { sections, type OptionEntry, type SectionEntry } from "../src/config/options.ts";
import type { Language } from "../src/config/language.ts";
import { events } from "../src/observe/events.ts";
import { metricRows, type MetricRow } from "../src/observe/metrics-table.ts";
import { readProcess } from "../src/observe/process-metrics.ts";
import { NOTE, table } from "./markdown.ts";
import { pop3Page } from "./reference-pop3.ts";

const root = path.resolve(import.meta.dirname, "..");

const MADE = {
  en: `${NOTE}\n\n[简体中文](configuration.zh-CN.md)`,
  zh: `${NOTE}\n\n[English](configuration.md)`,
};

/** Every page of the reference by its path in the project, made from the tables that the program itself runs on. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/reference/configuration.md", configurationPage("en")],
    ["docs/reference/configuration.zh-CN.md", configurationPage("zh")],
    ["docs/reference/events.md", eventsPage()],
    ["docs/reference/metrics.md", metricsPage()],
    ["docs/reference/pop3.md", pop3Page()],
  ]);
}

function configurationPage(language: Language): string {
  const words = {
    en: {
      title: "Configuration",
      text: '`mailkeep.yaml` is YAML 1.2. Unknown keys and wrong values are refused with file, line and column, all at once: `mailkeep config check`. `mailkeep config show` says where each value came from; `mailkeep config example` prints a file to begin with. Sizes are written `64 KiB`, durations in the unit that the key names. A variable of the environment overrides the key beside it, written as YAML; `MAILKEEP_LISTENERS` holds the whole list. "Reload" says what `SIGHUP` does with a change: it holds at once, or the reload is refused and names the key.',
    },
    zh: {
      title: "配置",
      text: "`mailkeep.yaml` 采用 YAML 1.2。未知的键与错误的值会一次性全部报告，并给出文件、行与列：`mailkeep config check`。`mailkeep config show` 显示每个值的来源，`mailkeep config example` 输出可供修改的示例文件。大小写作 `64 KiB`，时长以键名中的单位计。环境变量可覆盖对应的键，其值按 YAML 书写；`MAILKEEP_LISTENERS` 为整个列表。“重载”指收到 `SIGHUP` 时的处理：立即生效，或拒绝重载并指出该键。",
    },
  }[language];
  const parts = sections.map((section) => sectionPart(section, language));
  return `${[MADE[language], `# ${words.title}`, words.text, ...parts].join("\n\n")}\n`;
}

function sectionPart(section: SectionEntry, language: Language): string {
  const parts = section.options.map((option) => optionPart(option, language));
  return [`## ${section.name}`, section.help[language], ...parts].join("\n\n");
}

function optionPart({ path: keys, meta, fallback }: OptionEntry, language: Language): string {
  const zh = language === "zh";
  const colon = zh ? "：" : ": ";
  const usual =
    fallback === undefined ? (meta.absent?.[language] ?? (zh ? "必填" : "none, it must be given")) : `\`${fallback}\``;
  const reload = {
    live: zh ? "立即生效" : "at once",
    restart: zh ? "需要重启" : "needs a restart",
  }[meta.reload];
  const lines = [
    `- ${zh ? "取值" : "Takes"}${colon}${meta.expects[language]}`,
    `- ${zh ? "默认" : "Default"}${colon}${usual}`,
    `- ${zh ? "重载" : "Reload"}${colon}${reload}`,
  ];
  if (!keys.includes("*")) lines.push(`- ${zh ? "环境变量" : "Environment"}${colon}\`${environmentName(keys)}\``);
  const name = keys.join(".").replace(".*.", "[].");
  return [`### ${name}`, meta.help[language], lines.join("\n")].join("\n\n");
}

function eventsPage(): string {
  const fields = eventFields(readFileSync(path.join(root, "src/observe/events.ts"), "utf8"));
  const rows = Object.entries(events).map(([name, { help }]) => {
    const own = fields.get(name);
    if (own === undefined) throw new Error(`the fields of the event ${name} were not found in its source`);
    return [`\`${name}\``, help, own.map((field) => `\`${field}\``).join(", ")];
  });
  const text =
    "Every line of the log is one event, with these names and fields besides `time`, `seq`, `level` and `event`. The names are a contract; none of the fields ever holds a secret.";
  return `${[NOTE, "# Log events", text, table(["Event", "When", "Fields"], rows)].join("\n\n")}\n`;
}

// The fields are types, which are gone when the program runs: they are read from the text of their file.
function eventFields(source: string): ReadonlyMap<string, readonly string[]> {
  const row = /^ {2}"([a-z0-9._-]+)": event(?:<([\s\S]*?)>)?\(/gm;
  return new Map(
    [...source.matchAll(row)].map(([, name = "", type = ""]) => {
      const own = [...type.matchAll(/(\w+)\??: /g)].map(([, field = ""]) => field);
      return [name, type.includes("PeerFields") ? [...own, "peer"] : own];
    }),
  );
}

function metricsPage(): string {
  const own = Object.entries<MetricRow>(metricRows).map(([name, { kind, help, label, buckets }]) => {
    const values = label === undefined ? "" : `\`${label.name}\`: ${label.values.join(", ")}`;
    return [`\`${name}\``, kind, help, buckets === undefined ? values : `buckets: ${buckets.join(", ")}`];
  });
  // Only where the kernel has /proc: the page is the same on every system.
  const always = readProcess("").filter(({ name }) => name !== "process_open_fds");
  const read = always.map(({ name, kind, help, labels = {} }) => {
    return [
      `\`${name}\``,
      kind,
      help,
      Object.keys(labels)
        .map((label) => `\`${label}\``)
        .join(", "),
    ];
  });
  const text = "`/metrics` of an http listener shows these in Prometheus' text format. No address is ever a label.";
  const rows = table(
    ["Metric", "Kind", "What it counts", "Label, buckets"],
    [...own, ...read, ["`process_open_fds`", "gauge", "Open file descriptors, where the kernel has /proc.", ""]],
  );
  return `${[NOTE, "# Metrics", text, rows].join("\n\n")}\n`;
}

if (import.meta.main) {
  for (const [file, text] of referencePages()) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
}
