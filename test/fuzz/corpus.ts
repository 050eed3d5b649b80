import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Target } from "./target.ts";

const root = path.join(import.meta.dirname, "corpus");

/** A case as it is kept; one that was found broken is tried again each time, and never mutated. */
export type Kept<Case> = { readonly file: string; readonly each: Case; readonly isFinding: boolean };

/** The corpus of a target, in the order of the files' names. */
export function readCorpus<Case>(target: Target<Case>): Kept<Case>[] {
  const folder = path.join(root, target.name);
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".txt")) : [];
  return files.toSorted().map((file) => ({
    file: path.join("corpus", target.name, file),
    each: target.read(readFileSync(path.join(folder, file), "utf8")),
    isFinding: file.startsWith("found-"),
  }));
}

/** Writes a case into the corpus and gives its path. */
export function keepCase<Case>(target: Target<Case>, each: Case, kind: "found" | "kept", comment = ""): string {
  const folder = path.join(root, target.name);
  const text = target.write(each);
  const name = `${kind}-${createHash("sha256").update(text).digest("hex").slice(0, 10)}.txt`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, name), (comment === "" ? "" : `# ${comment}\n`) + text);
  return path.join("test/fuzz/corpus", target.name, name);
}
