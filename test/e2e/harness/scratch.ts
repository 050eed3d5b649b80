import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const live = new Set<string>();

// A run that is ended from outside disposes nothing; a mount point in a folder stays, the rest goes.
process.on("exit", () => live.forEach(tryRemove));

/**
 * A folder of its own under the system's temporary folder, removed when the stack is disposed. The name is short: unix
 * sockets below it must stay within 107 octets. Other users may enter it: Dovecot and Postfix drop their rights.
 */
export function scratch(stack: AsyncDisposableStack): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mk-"));
  chmodSync(folder, 0o755);
  live.add(folder);
  stack.defer(() => {
    live.delete(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return folder;
}

function tryRemove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Something is mounted in it, or a program of the run still ends.
  }
}
