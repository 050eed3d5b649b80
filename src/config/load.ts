import path from "node:path";
import { err, ok, type Result } from "../lib/result.ts";
import { camel, camelKey } from "./camel.ts";
import { problemsOf } from "./check.ts";
import { readDocument, type Document } from "./document.ts";
import { readEnvironment, type Override } from "./environment.ts";
import { authorityProblem, fetchSecrets, type Surroundings } from "./kept-elsewhere.ts";
import { keysAt, options } from "./options.ts";
import { sourceOf } from "./places.ts";
import type { Problem, Source } from "./problem.ts";
import { readBounded } from "./read-bounded.ts";
import { schema, type Config } from "./schema.ts";
import { changeAt } from "./tree.ts";
import { whyUnreadable, type Unreadable } from "./unreadable.ts";

/** A configuration that was read and is right. */
export type Loaded = {
  readonly config: Config;
  /** The file that was read; undefined: there was none, and nothing but the environment changed the defaults. */
  readonly file: string | undefined;
  /** Where each key's value came from, by its path in the file's spelling; what is missing came from the defaults. */
  readonly sources: ReadonlyMap<string, Source>;
};

/** What `loadConfig` looks at; each is the process's own unless given. */
export type LoadOptions = {
  /** The file named on the command line. */
  readonly file?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The folder from which relative names count. */
  readonly directory?: string;
  /** The file that is read where no other is found. */
  readonly systemFile?: string;
};

/** What a server is started with: what was read, and how to read it again at a reload. */
export type ServeOptions = { readonly loaded: Loaded; readonly loadOptions: LoadOptions };

/** A configuration file of a megabyte is none. */
const FILE_OCTETS = 1024 * 1024;

/** Finds, reads and checks the configuration; says everything that is wrong with it at once. */
export function loadConfig(given: LoadOptions = {}): Result<Loaded, readonly Problem[]> {
  const directory = given.directory ?? process.cwd();
  const environment = given.environment ?? process.env;
  const found = findFile(given, environment, directory);
  if (!found.ok) return err([found.error]);
  const { file, text } = found.value;
  const locate = (line: number, column: number): Source => ({ kind: "file", file: file ?? "", line, column });
  const document: Document = readDocument(text, locate);
  const { overrides, problems: wrongNames } = readEnvironment(environment);
  const wrong = [...document.problems, ...wrongNames];
  // With a file that cannot be read as YAML every other complaint would be about what it might have said.
  if (document.value === undefined && document.problems.length > 0) return err(wrong);
  const places = placesOf(document, overrides);
  const base = file === undefined ? directory : path.dirname(path.resolve(directory, file));
  const folderOf = (from: "file" | "environment"): string => (from === "environment" ? directory : base);
  const around: Surroundings = { environment, folderOf, places };
  const { raw, problems: unfetched } = fetchSecrets(merge(document.value, overrides), around);
  wrong.push(...unfetched, ...authorityProblem(raw, around));
  const checked = schema.safeParse(raw);
  if (!checked.success) wrong.push(...problemsOf(checked.error.issues, raw, places));
  if (!checked.success || wrong.length > 0) return err(wrong.toSorted(byPlace));
  const sources = new Map([...places].map(([key, place]) => [key, place.value]));
  return ok({ config: absolute(camel(checked.data), sources, folderOf), file, sources });
}

type Text = { readonly file: string | undefined; readonly text: string };

function findFile(
  given: LoadOptions,
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Result<Text, Problem> {
  const named = given.file ?? (environment["MAILKEEP_CONFIG"] || undefined);
  const candidates =
    named === undefined ? ["mailkeep.yaml", given.systemFile ?? "/etc/mailkeep/mailkeep.yaml"] : [named];
  for (const file of candidates) {
    const text = readText(path.resolve(directory, file));
    if (text.ok) return ok({ file, text: text.value });
    if (named === undefined && text.error.absent) continue;
    const { en, zh } = text.error.reason;
    return err({
      source: { kind: "default" },
      key: "",
      reason: { en: `cannot read the configuration ${file}: ${en}`, zh: `无法读取配置文件 ${file}：${zh}` },
    });
  }
  return ok({ file: undefined, text: "" });
}

function readText(file: string): Result<string, Unreadable> {
  try {
    const octets = readBounded(file, FILE_OCTETS);
    if (octets === undefined) {
      return err({ absent: false, reason: { en: "it is larger than 1 MiB", zh: "文件大于 1 MiB" } });
    }
    return ok(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch (cause) {
    return err(whyUnreadable(cause));
  }
}

// An empty section (`limits:` with all its keys commented out) is one that is not there.
function merge(value: unknown, overrides: readonly Override[]): unknown {
  if (value !== null && value !== undefined && (typeof value !== "object" || Array.isArray(value))) return value;
  const known = keysAt([]);
  const raw = Object.fromEntries(
    Object.entries(value ?? {}).filter(([key, member]) => member !== null || !known.includes(key)),
  );
  return overrides.reduce<unknown>((tree, { path: keys, value: override }) => putAt(tree, keys, override), raw);
}

// Where the file has something else than a map, that is what is complained about.
function putAt(tree: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (tree === undefined) return { [key]: putAt(undefined, rest, value) };
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return tree;
  return { ...tree, [key]: putAt((tree as Readonly<Record<string, unknown>>)[key], rest, value) };
}

function placesOf(document: Document, overrides: readonly Override[]): Document["places"] {
  const places = new Map(document.places);
  for (const { path: keys, source } of overrides) {
    const key = keys.join(".");
    for (const known of places.keys()) {
      if (known.startsWith(`${key}[`) || known.startsWith(`${key}.`)) places.delete(known);
    }
    places.set(key, { key: source, value: source });
  }
  return places;
}

function byPlace(left: Problem, right: Problem): number {
  const order = (problem: Problem): number =>
    problem.source.kind === "file" ? problem.source.line * 1e6 + problem.source.column : Number.MAX_SAFE_INTEGER;
  return order(left) - order(right);
}

// A relative path of the environment counts from the current folder, any other from the file's.
function absolute(config: Config, sources: ReadonlyMap<string, Source>, folderOf: Surroundings["folderOf"]): Config {
  const paths = options.filter(({ meta }) => meta.path);
  return paths.reduce<unknown>((tree, { path: keys }) => {
    const folder = folderOf(sourceOf(keys, sources).kind === "environment" ? "environment" : "file");
    return changeAt(tree, keys.map(camelKey), (value) =>
      typeof value === "string" ? path.resolve(folder, value) : value,
    );
  }, config) as Config;
}
