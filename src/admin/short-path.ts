import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/** The longest path that a socket address takes on every system we run on, in octets. */
const SOCKET_PATH_OCTETS = 103;

/**
 * Runs `use` with a path to the same file that is short enough for a socket address: a deep data folder is reached
 * by a link in a temporary folder of our own, which is gone when `use` has settled. Binding and connecting look the path
 * up once, so nothing needs the link afterwards.
 */
export async function withShortPath<T>(file: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(file) <= SOCKET_PATH_OCTETS) return use(file);
  // Only its owner may enter a folder made by mkdtemp, so that nobody can turn the link elsewhere.
  const folder = mkdtempSync(path.join(os.tmpdir(), "mk-"));
  try {
    const link = path.join(folder, "d");
    symlinkSync(path.dirname(file), link);
    return await use(path.join(link, path.basename(file)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
