import assert from "node:assert/strict";
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, rmdirSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { once } from "node:events";
import { cleanEnvironment, install } from "../test/e2e/harness/installation.ts";
import { mustRun, start } from "../test/e2e/harness/process.ts";
import { mainFile } from "../test/e2e/harness/repository.ts";
import type { Rig } from "../test/e2e/harness/rig.ts";
import { until } from "../test/e2e/harness/wait.ts";

/** One of the two servers: where it listens, and how its CPU time and memory are counted. */
export type Side = {
  readonly name: "dovecot" | "mailkeep";
  readonly pop3: number;
  readonly pop3s: number;
  readonly lmtp: number;
  /** Options of the load tools. */
  readonly cpu: readonly string[];
  /** What memory.py is given. */
  readonly memory: string;
};

/** A user of both servers: name and password. */
export type User = readonly [address: string, password: string];

const domain = "bench.test";
const cgroups = "/sys/fs/cgroup/cpuacct";

/** Users that exist on both sides, named by what they are for. */
export function makeUsers(prefix: string, count: number): User[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(5, "0");
    return [`${prefix}${number}@${domain}`, `pw${number}`];
  });
}

/** Starts the Dovecot of the rig, tuned for POP3; it is stopped when the stack is disposed. */
export async function startDovecotSide(stack: AsyncDisposableStack, rig: Rig, users: string): Promise<Side> {
  const folder = path.join(rig.folder, "dovecot");
  const base = await freeBase();
  const group = `mailkeep-bench-${process.pid}`;
  const script = path.join(rig.folder, "dovecot-baseline.sh");
  const env = { ...process.env, USERS: users, BASE: String(base), CGROUP: group, FORMAT: "maildir" };
  mkdirSync(folder);
  // A daemon keeps the pipes of its start: its words go to a file.
  await mustRun("sh", ["-c", `"${script}" "${folder}" start >"${folder}/start.log" 2>&1`], { env, seconds: 60 });
  stack.defer(async () => {
    await mustRun("sh", [script, folder, "stop"], { env, seconds: 30 });
    const place = path.join(cgroups, group);
    if (existsSync(place)) rmdirSync(place);
  });
  const place = path.join(cgroups, group);
  const pid = readFileSync(path.join(folder, "run", "master.pid"), "utf8").trim();
  const counted = existsSync(place) && readFileSync(path.join(place, "cgroup.procs"), "utf8").includes(pid);
  const cpu = counted ? ["--cpu-cgroup", place] : ["--cpu-pid", pid];
  return { name: "dovecot", pop3: base + 10, pop3s: base + 95, lmtp: base + 24, cpu, memory: counted ? place : pid };
}

/** Starts Mailkeep: default configuration but clear-text logins, users and ports. */
export async function startMailkeepSide(stack: AsyncDisposableStack, users: readonly User[]): Promise<Side> {
  const installation = await install(stack, { config: { auth: { allow_cleartext: true } } });
  await installation.mustCli(["domain", "add", domain]);
  const input = users.map(([address, password]) => `${address},{PLAIN}${password}\n`).join("");
  await installation.mustCli(["user", "import", "-"], { input, seconds: 300 });
  const file = path.join(installation.folder, "server.log");
  const log = openSync(file, "w");
  const serving = [mainFile, "serve", "--config", installation.configFile];
  const child = start(process.execPath, serving, { env: cleanEnvironment(), stdio: ["ignore", log, log] });
  closeSync(log);
  const ended = once(child, "exit");
  stack.defer(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  await until("Mailkeep to be ready", 30, () => {
    const said = readFileSync(file, "utf8");
    assert.ok(child.exitCode === null, said);
    return said.includes('"server.ready"');
  });
  const pid = String(child.pid);
  const { pop3, pop3s, lmtp } = installation.ports;
  return { name: "mailkeep", pop3, pop3s, lmtp, cpu: ["--cpu-pid", pid], memory: pid };
}

/** The rig's script counts its ports from a base: one where all three are free. */
async function freeBase(): Promise<number> {
  for (let base = 21_100; base < 32_000; base += 200) {
    const free = await Promise.all([10, 24, 95].map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error("no free ports for Dovecot");
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = net.createServer();
  server.once("error", () => resolve(false));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  return promise;
}
