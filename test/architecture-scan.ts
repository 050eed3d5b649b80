import { globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";

/** A file of ours as the rules see it: its path from the root with `/`, and its lines. */
export type SourceFile = Readonly<{ path: string; text: string; lines: readonly string[] }>;

/** One import, export from, or dynamic import, also of types only; `target` is a path from the root, `node:x`, or a package. */
export type Import = Readonly<{ file: string; line: number; target: string }>;

/** Every TypeScript and JavaScript file under these folders. */
export function readSources(folders: readonly string[]): readonly SourceFile[] {
  const patterns = folders.map((folder) => `${folder}/**/*.{ts,tsx,mts,js,mjs,cjs}`);
  return globSync(patterns, { exclude: (name) => name.includes("node_modules") })
    .map((file) => file.split(path.sep).join("/"))
    .toSorted()
    .map((file) => {
      const text = readFileSync(file, "utf8");
      return { path: file, text, lines: text.replace(/\n$/, "").split("\n") };
    });
}

const importForms: readonly RegExp[] = [
  // import … from "x"; export { … } from "x"; export * from "x". Such a statement ends at its first semicolon.
  /^[ \t]*(?:import\s+[\w*{]|export\s+(?:type\s+)?[*{])[^;]*?\bfrom\s*["'](?<target>[^"']+)["']/gm,
  // import "x"
  /^[ \t]*import\s*["'](?<target>[^"']+)["']/gm,
  // import("x"), also as a type
  /\bimport\s*\(\s*["'](?<target>[^"']+)["']/g,
  // new URL("./x.ts", import.meta.url): how a worker thread is started
  /\bnew\s+URL\(\s*["'](?<target>\.[^"']+)["']\s*,\s*import\.meta\.url/g,
];

/** The imports of one file, in the order of their forms. */
export function importsOf(file: SourceFile): readonly Import[] {
  return importForms.flatMap((form) =>
    [...file.text.matchAll(form)].flatMap((match) => {
      const target = match.groups?.["target"] ?? "";
      if (isCommented(file.text, match.index)) return [];
      return [
        { file: file.path, line: lineAt(file.text, match.index + match[0].length), target: resolve(file, target) },
      ];
    }),
  );
}

/** The lines of a file that a pattern matches, comments left out. */
export function linesMatching(file: SourceFile, pattern: RegExp): readonly string[] {
  return file.lines.flatMap((line, index) => {
    const found = line.search(pattern);
    return found < 0 || isCommented(line, found) ? [] : [`${file.path}:${index + 1}: ${line.trim()}`];
  });
}

function resolve(file: SourceFile, target: string): string {
  if (target.startsWith(".")) return path.posix.join(path.posix.dirname(file.path), target);
  return builtinModules.includes(target) ? `node:${target}` : target;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Whether a comment begins before this place on its line; a `//` right after a colon is an address, not a comment. */
function isCommented(text: string, index: number): boolean {
  const before = text.slice(text.lastIndexOf("\n", index - 1) + 1, index);
  return /^\s*(?:\/?\*|\/\/)|[^:]\/\//.test(before);
}
