"use strict";
// Becomes another program where the running Node can do that, else runs it as a child and passes signals on.

const { spawn } = require("node:child_process");
const os = require("node:os");

/** @type {readonly NodeJS.Signals[]} */
const forwarded =
  process.platform === "win32"
    ? ["SIGINT", "SIGTERM"]
    : ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];

/**
 * Runs the program in this one's place. Returns only when it had to be a child and the child is gone.
 *
 * @param {string} program
 * @param {readonly string[]} programArguments
 * @param {{ environment: NodeJS.ProcessEnv, directory: string, watched: boolean }} options
 *   watched: as a child the program wants to be told when this process is gone.
 * @returns {Promise<void>}
 */
async function handOver(program, programArguments, { environment: given, directory, watched }) {
  const environment = { ...given };
  // Of a launcher further up: the descriptor of that number is not open here.
  delete environment["MAILKEEP_LAUNCHER_FD"];
  const inherited = Number(environment["LISTEN_FDS"] ?? 0) || 0;
  // Node marks every descriptor above 2 close-on-exec, so listeners of a service manager survive only as a child's stdio.
  if (typeof process.execve === "function" && process.platform !== "win32" && inherited === 0) {
    process.chdir(directory);
    process.execve(program, [program, ...programArguments], environment);
  }
  const run = watched ? runServer : runTask;
  endLike(await run(program, programArguments, { environment, directory, inherited }));
}

/**
 * Runs the program as a child that can tell when this launcher is gone, also by `kill -9`.
 *
 * The child gets one end of a pipe that nobody ever writes to, and its number in MAILKEEP_LAUNCHER_FD. The other end is
 * held by this process alone, so end-of-file on it means that the launcher no longer exists: the child then stops as on
 * SIGTERM (`src/app/launcher-watch.ts`). Listeners of a service manager keep their numbers from 3 on and the pipe
 * comes after them; LISTEN_PID named this process, so the child sees LISTEN_FDS without it.
 *
 * @param {string} program
 * @param {readonly string[]} programArguments
 * @param {{ environment: NodeJS.ProcessEnv, directory: string, inherited: number }} options
 */
function runServer(program, programArguments, { environment, directory, inherited }) {
  const listeners = Array.from({ length: inherited }, (_, index) => 3 + index);
  /** @type {NodeJS.ProcessEnv} */
  const childEnvironment = { ...environment, MAILKEEP_LAUNCHER_FD: String(3 + inherited) };
  if (childEnvironment["LISTEN_PID"] === String(process.pid)) delete childEnvironment["LISTEN_PID"];
  return runChild(program, programArguments, {
    env: childEnvironment,
    cwd: directory,
    stdio: ["inherit", "inherit", "inherit", ...listeners, "pipe"],
  });
}

/**
 * Runs the program as a child that knows nothing of launchers, and whose children would take the pipe's number for theirs.
 *
 * @param {string} program
 * @param {readonly string[]} programArguments
 * @param {{ environment: NodeJS.ProcessEnv, directory: string }} options
 */
function runTask(program, programArguments, { environment, directory }) {
  return runChild(program, programArguments, { env: environment, cwd: directory, stdio: "inherit" });
}

/**
 * Runs a child to its end and passes on the signals that this process gets meanwhile.
 *
 * @param {string} program
 * @param {readonly string[]} programArguments
 * @param {import("node:child_process").SpawnOptions & { onStart?: (pid: number) => void }} options
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
function runChild(program, programArguments, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, programArguments, options);
    if (child.pid !== undefined) options.onStart?.(child.pid);
    const pass = (/** @type {NodeJS.Signals} */ signal) => void child.kill(signal);
    const release = () => forwarded.forEach((signal) => process.off(signal, pass));
    forwarded.forEach((signal) => process.on(signal, pass));
    child.on("error", (cause) => {
      release();
      reject(new Error(`cannot run ${program}: ${cause.message}`, { cause }));
    });
    child.on("exit", (code, signal) => {
      release();
      resolve({ code, signal });
    });
  });
}

/**
 * Ends this process the way the child ended, so that a caller cannot tell them apart.
 *
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} end
 */
function endLike({ code, signal }) {
  if (signal === null) process.exit(code ?? 1);
  process.kill(process.pid, signal);
  // Only reached when the signal did not end this process, for instance on a system without it.
  setTimeout(() => process.exit(128 + os.constants.signals[signal]), 100);
}

module.exports = { endLike, handOver, runChild };
