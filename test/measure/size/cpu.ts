import { readFileSync } from "node:fs";

// USER_HZ, which the kernel tells programs whatever its own clock is.
const TICKS_PER_SECOND = 100;

/** CPU seconds that a process has used, all its threads, in user and in kernel mode. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Behind the program's name, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
