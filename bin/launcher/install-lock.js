"use strict";
// Lets one start at a time change node_modules: two at once on a fresh clone would remove each other's files.

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");

const pollMilliseconds = 200;
const heartbeatMilliseconds = 2000;
// Longer than a suspended laptop's first heartbeat takes to come, far shorter than anyone would wait.
const staleMilliseconds = 60_000;
const longestWaitMilliseconds = 20 * 60_000;

/**
 * Runs the work while holding the lock of this folder. A process that the work starts may hold it too: a start that is
 * killed leaves its npm behind, and nobody else may install until that has ended as well.
 *
 * @param {string} root
 * @param {(alsoHeldBy: (pid: number) => void) => Promise<void>} work
 * @returns {Promise<void>}
 */
async function withInstallLock(root, work) {
  const folder = path.join(root, ".mailkeep-install");
  const owner = await acquire(folder);
  const release = () => {
    if (read(folder, "owner") === owner) fs.rmSync(folder, { recursive: true, force: true });
  };
  const heartbeat = setInterval(() => touch(folder), heartbeatMilliseconds);
  process.on("exit", release);
  try {
    await work((pid) => fs.writeFileSync(path.join(folder, "child"), String(pid)));
  } finally {
    clearInterval(heartbeat);
    process.off("exit", release);
    release();
  }
}

/**
 * @param {string} folder
 * @returns {Promise<string>} what this owner wrote into the lock
 */
async function acquire(folder) {
  const owner = `${os.hostname()} ${process.pid} ${process.hrtime.bigint()}`;
  const deadline = Date.now() + longestWaitMilliseconds;
  let told = false;
  while (Date.now() < deadline) {
    if (create(folder, owner)) return owner;
    if (isStale(folder)) {
      setAside(folder);
      continue;
    }
    if (!told) process.stderr.write("mailkeep: waiting for another start that is installing …\n");
    told = true;
    await sleep(pollMilliseconds);
  }
  throw new Error(`${folder} is held by another start for too long; remove it if that is not so`);
}

/**
 * Makes the lock whole or not at all: the folder appears with its owner's name already in it.
 *
 * @param {string} folder
 * @param {string} owner
 */
function create(folder, owner) {
  const draft = fs.mkdtempSync(`${folder}-`);
  fs.writeFileSync(path.join(draft, "owner"), owner);
  try {
    // Renaming onto a folder that is not empty fails on every system.
    fs.renameSync(draft, folder);
    return true;
  } catch (cause) {
    fs.rmSync(draft, { recursive: true, force: true });
    if (fs.existsSync(folder) || isTaken(cause)) return false;
    throw new Error(`cannot create ${folder}`, { cause });
  }
}

/** @param {unknown} cause */
function isTaken(cause) {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOTEMPTY" || code === "EEXIST" || code === "EPERM";
}

/**
 * Whether the holders are gone: their processes, when they were on this machine; else the heartbeat.
 *
 * @param {string} folder
 */
function isStale(folder) {
  const modified = fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
  if (modified === undefined) return false;
  if (Date.now() - modified > staleMilliseconds) return true;
  const [host, pid] = (read(folder, "owner") ?? "").split(" ");
  if (host !== os.hostname()) return false;
  return !isAlive(pid) && !isAlive(read(folder, "child"));
}

/** @param {string | undefined} pid */
function isAlive(pid) {
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (cause) {
    return !(cause instanceof Error && "code" in cause && cause.code === "ESRCH");
  }
}

/**
 * Removes a stale lock. Of two that find it stale, one may move away the other's new lock: it sees that and puts it back.
 *
 * @param {string} folder
 */
function setAside(folder) {
  const before = read(folder, "owner");
  const aside = `${folder}-stale-${process.pid}`;
  try {
    fs.renameSync(folder, aside);
    if (read(aside, "owner") !== before) fs.renameSync(aside, folder);
    fs.rmSync(aside, { recursive: true, force: true });
  } catch {
    // Somebody else was first: the next turn of the loop sees what is there now.
  }
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {string | undefined}
 */
function read(folder, name) {
  try {
    return fs.readFileSync(path.join(folder, name), "utf8");
  } catch {
    return undefined;
  }
}

/** @param {string} folder */
function touch(folder) {
  try {
    const now = new Date();
    fs.utimesSync(folder, now, now);
  } catch {
    // The lock was taken for stale and is gone. npm ci goes on; the other one waits for nothing it could break twice.
  }
}

module.exports = { withInstallLock };
