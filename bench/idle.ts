import { rmSync, existsSync } from "node:fs";
import path from "node:path";
import { mustRun, run, type Finished } from "../test/e2e/harness/process.ts";
import type { Rig } from "../test/e2e/harness/rig.ts";
import { until } from "../test/e2e/harness/wait.ts";
import type { Side } from "./sides.ts";

/** PSS of all processes of a server in MiB, with no session and with many idle ones. */
export type Idle = { readonly none: number; readonly many: number };

const holdSeconds = 20;

/** PSS of a server now. */
export async function proportionalMib(rig: Rig, side: Side): Promise<number> {
  const { text } = await mustRun("python3", [path.join(rig.folder, "memory.py"), side.memory]);
  return (JSON.parse(text) as { pss_mib: number }).pss_mib;
}

/** PSS while this many sessions are logged in and idle; what went wrong is left to the caller in the tool's report. */
export async function idleMib(
  rig: Rig,
  side: Side,
  { users, sessions }: { users: string; sessions: number },
): Promise<{ mib: number; end: Finished }> {
  const ready = path.join(rig.folder, "idle-ready");
  rmSync(ready, { force: true });
  const load = ["--script", "idle", "--conns", String(sessions), "--sessions", String(sessions), "--users", users];
  const time = ["--rate", "250", "--seconds", String(holdSeconds), "--ready", ready, "--timeout", "100"];
  const holding = run(path.join(rig.folder, "popload"), ["--port", String(side.pop3), ...load, ...time], {
    seconds: 120,
  });
  await until(`${sessions} idle sessions at ${side.name}`, 100, () => existsSync(ready));
  const mib = await proportionalMib(rig, side);
  return { mib, end: await holding };
}
