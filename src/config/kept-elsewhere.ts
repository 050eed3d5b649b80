import path from "node:path";
import { err, ok, type Result } from "../lib/result.ts";
import type { Document } from "./document.ts";
import type { Words } from "./option.ts";
import { options } from "./options.ts";
import { formatPath, type Path } from "./path.ts";
import { placeOf } from "./places.ts";
import type { Problem } from "./problem.ts";
import { readBounded } from "./read-bounded.ts";
import { changeAt } from "./tree.ts";
import { whyUnreadable } from "./unreadable.ts";

/** What a look at the files and variables that a configuration names needs to know. */
export type Surroundings = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The folder from which a relative name counts that stands in the file, or in the environment. */
  readonly folderOf: (from: "file" | "environment") => string;
  readonly places: Document["places"];
};

const SECRET_FILE_OCTETS = 4096;
const AUTHORITY_OCTETS = 1024 * 1024;

/** Stands where a secret could not be had, so that nothing else is complained about it. */
const NOT_HAD = "-";

/** Puts the texts of secrets that are kept in files or variables in their places, and says which cannot be had. */
export function fetchSecrets(
  raw: unknown,
  around: Surroundings,
): { readonly raw: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  let tree = raw;
  for (const { path: place, meta } of options) {
    if (!meta.secret) continue;
    tree = changeAt(tree, place, (value, at) => {
      const text = fetchOne(value, at, around);
      if (text === undefined) return value;
      if (text.ok) return text.value;
      problems.push({ source: placeOf(at, around.places, "value"), key: formatPath(at), reason: text.error });
      return NOT_HAD;
    });
  }
  return { raw: tree, problems };
}

// undefined: it is no place of a secret, but the secret itself or something wrong.
function fetchOne(value: unknown, at: Path, around: Surroundings): Result<string, Words> | undefined {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) return undefined;
  const { file, env } = value as { readonly file?: unknown; readonly env?: unknown };
  if (typeof env === "string" && env !== "") return fromEnvironment(env, around);
  if (typeof file !== "string" || file === "" || file.includes("\0")) return undefined;
  return fromFile(path.resolve(folderFor(at, around), file));
}

function fromEnvironment(name: string, { environment }: Surroundings): Result<string, Words> {
  const text = environment[name] ?? "";
  if (text !== "") return ok(text);
  return err({ en: `the variable ${name} is not set, or empty`, zh: `环境变量 ${name} 未设置或为空` });
}

function fromFile(file: string): Result<string, Words> {
  const read = readUtf8(file, SECRET_FILE_OCTETS, { en: "it is larger than 4 KiB", zh: "文件大于 4 KiB" });
  if (!read.ok) return read;
  // One line end belongs to the editor.
  const text = read.value.replace(/\r?\n$/, "");
  return text === "" ? err({ en: `${file} is empty`, zh: `${file} 为空` }) : ok(text);
}

/** Says of the authority of client certificates what would keep everybody out who has one. */
export function authorityProblem(raw: unknown, around: Surroundings): readonly Problem[] {
  const problems: Problem[] = [];
  changeAt(raw, ["auth", "client_certificates", "authority"], (value, at) => {
    // What is no text is told by the schema.
    if (typeof value !== "string" || value === "" || value.includes("\0")) return value;
    const file = path.resolve(folderFor(at, around), value);
    const read = readUtf8(file, AUTHORITY_OCTETS, { en: "it is larger than 1 MiB", zh: "文件大于 1 MiB" });
    const right = read.ok && /^-----BEGIN CERTIFICATE-----\s/m.test(read.value);
    if (right) return value;
    const reason = read.ok ? { en: `${file} holds no certificate (PEM)`, zh: `${file} 中没有 PEM 证书` } : read.error;
    problems.push({ source: placeOf(at, around.places, "value"), key: formatPath(at), reason });
    return value;
  });
  return problems;
}

function folderFor(at: Path, { places, folderOf }: Surroundings): string {
  return folderOf(placeOf(at, places, "value").kind === "environment" ? "environment" : "file");
}

function readUtf8(file: string, most: number, tooLarge: Words): Result<string, Words> {
  const cannot = ({ en, zh }: Words) => err({ en: `cannot read ${file}: ${en}`, zh: `无法读取 ${file}：${zh}` });
  try {
    const octets = readBounded(file, most);
    return octets === undefined ? cannot(tooLarge) : ok(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch (cause) {
    return cannot(whyUnreadable(cause).reason);
  }
}
