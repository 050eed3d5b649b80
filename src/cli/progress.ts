import type { World } from "./context.ts";
import type { Say } from "./language.ts";

/** What is done sooner needs no progress shown. */
const QUIET_MS = 2000;
const TERMINAL_MS = 100;
const LINE_MS = 5000;

/** Shows how far an import is: on a terminal one line that changes, else a line now and then. */
export function progressLine(
  stderr: World["stderr"],
  say: Say,
  now: () => number = () => performance.now(),
): (progress: { readonly done: number; readonly total: number }) => void {
  const terminal = stderr.isTTY === true;
  let next = now() + QUIET_MS;
  let shown = false;
  return ({ done, total }) => {
    const over = done === total;
    if (over ? !shown : now() < next) return;
    next = now() + (terminal ? TERMINAL_MS : LINE_MS);
    shown = true;
    const text = say("import.progress", { done, total });
    stderr.write(terminal ? `\r${text}${over ? "\n" : ""}` : `${text}\n`);
  };
}
