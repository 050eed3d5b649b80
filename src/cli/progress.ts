import { formatOctets } from "../config/octets.ts";
import type { UpgradeProgress } from "../store/upgrade/upgraded.ts";
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
  const show = lineOf(stderr, now);
  return ({ done, total }) => show(say("import.progress", { done, total }), done === total ? "end" : "between");
}

/** Shows how far a scrub is, in octets of bodies. */
export function scrubLine(
  stderr: World["stderr"],
  say: Say,
  now: () => number = () => performance.now(),
): (progress: { readonly done: number; readonly total: number }) => void {
  const show = lineOf(stderr, now);
  return ({ done, total }) => {
    const figures = { done: formatOctets(done), total: formatOctets(total) };
    show(say("scrub.progress", figures), done === total ? "end" : "between");
  };
}

// A copy of so much is made within the time in which nothing is shown, also by a slow disk.
const LONG_COPY_OCTETS = 32 * 1024 * 1024;

/** Shows the steps of an upgrade in the same way; a long copy is told before it begins, for then nothing is heard of it. */
export function upgradeLine(
  stderr: World["stderr"],
  say: Say,
  now: () => number = () => performance.now(),
): UpgradeProgress {
  const show = lineOf(stderr, now);
  return ({ step, done, total }) => {
    const shown = step === "copy" ? { done: formatOctets(done), total: formatOctets(total) } : { done, total };
    const when = step === "copy" && done === 0 && total > LONG_COPY_OCTETS ? "now" : "between";
    show(say(`store.step-${step}`, shown), step === "migrate" && done === total ? "end" : when);
  };
}

function lineOf(stderr: World["stderr"], now: () => number): (text: string, when: "now" | "between" | "end") => void {
  const terminal = stderr.isTTY === true;
  let next = now() + QUIET_MS;
  let width = 0;
  return (text, when) => {
    const over = when === "end";
    if (over ? width === 0 : when === "between" && now() < next) return;
    next = now() + (terminal ? TERMINAL_MS : LINE_MS);
    // What a longer text before it left is covered.
    stderr.write(terminal ? `\r${text.padEnd(width)}${over ? "\n" : ""}` : `${text}\n`);
    width = Math.max(1, text.length);
  };
}
