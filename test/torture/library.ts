import path from "node:path";
import { mustRun } from "../e2e/harness/process.ts";

/**
 * Compiles a C source of this folder to a library that is put in front of the C library by LD_PRELOAD, and gives its
 * file. A process that is to load it is started with `preload(file)` in its environment.
 */
export async function buildLibrary(source: string, folder: string): Promise<string> {
  const file = path.join(folder, `${path.basename(source, ".c")}.so`);
  const words = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", file];
  await mustRun("cc", [...words, path.join(import.meta.dirname, source), "-ldl", "-lpthread"], { seconds: 60 });
  return file;
}

/** The environment of a process that loads these libraries, the first in front. */
export function preload(...files: readonly string[]): Readonly<Record<string, string>> {
  return { LD_PRELOAD: files.join(":") };
}
