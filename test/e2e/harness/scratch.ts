import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/**
 * A folder of its own under the system's temporary folder, removed when the stack is disposed. The name is short: unix
 * sockets below it must stay within 107 octets. Other users may enter it: Dovecot and Postfix drop their rights.
 */
export function scratch(stack: AsyncDisposableStack): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mk-"));
  chmodSync(folder, 0o755);
  stack.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
