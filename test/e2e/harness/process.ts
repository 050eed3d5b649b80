import assert from "node:assert/strict";
import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { within } from "./wait.ts";

/** How a program ended and what it said. */
export type Finished = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  /** stdout as text. */
  readonly text: string;
  readonly stderr: string;
  readonly seconds: number;
};

export type RunOptions = {
  readonly input?: string | Uint8Array;
  readonly seconds?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
};

const live = new Set<ChildProcess>();

// A test file that is ended from outside must not leave the programs behind that it started.
process.on("exit", () => live.forEach((child) => killGroup(child, "SIGKILL")));
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));

/** Starts a program in a process group of its own, which ends with this process at the latest. */
export function start(program: string, programArguments: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(program, programArguments, { ...options, detached: true });
  live.add(child);
  child.once("exit", () => live.delete(child));
  child.once("error", () => live.delete(child));
  return child;
}

/** Sends a signal to all processes of a started program's group. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // All of the group is gone already.
  }
}

/** Runs a program to its end; at the deadline its whole group is killed and the run fails. */
export async function run(
  program: string,
  programArguments: readonly string[],
  { input, seconds = 60, ...options }: RunOptions = {},
): Promise<Finished> {
  const begin = performance.now();
  const child = start(program, programArguments, { ...options, stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (piece: Buffer) => out.push(piece));
  child.stderr?.on("data", (piece: Buffer) => err.push(piece));
  // A program that does not read all of its input is judged by what it says, not by the broken pipe.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input ?? "");
  const name = [program, ...programArguments].join(" ");
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  try {
    const [code, signal] = await within(`the end of ${name}`, seconds, ended);
    const stdout = Buffer.concat(out);
    const stderr = Buffer.concat(err).toString();
    return { code, signal, stdout, text: stdout.toString(), stderr, seconds: (performance.now() - begin) / 1000 };
  } catch (cause) {
    killGroup(child, "SIGKILL");
    throw new Error(Buffer.concat([...out, ...err]).toString(), { cause });
  }
}

/** Runs a program that must end with 0. */
export async function mustRun(
  program: string,
  programArguments: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const end = await run(program, programArguments, options);
  const name = [program, ...programArguments].join(" ");
  assert.equal(end.code, 0, `${name} ended with ${end.code ?? end.signal}\n${end.text}${end.stderr}`);
  return end;
}
