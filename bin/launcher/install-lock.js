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
 * Runs the work while holding the lock of this folder.
 *
 * @param {string} root
 * @param {() => Promise<void>} work
 * @returns {Promise<void>}
 */
async function withInstallLock(root, work) {
  const folder = path.join(root, ".mailkeep-install");
  const owner = await acquire(folder);
  const release = () => {
    if (readOwner(folder) === owner) fs.rmSync(folder, { recursive: true, force: true });
  };
  const heartbeat = setInterval(() => touch(folder), heartbeatMilliseconds);
  process.on("exit", release);
  try {
    await work();
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
 * Whether the owner is gone: its process, when it was on this machine; else its heartbeat.
 *
 * @param {string} folder
 */
function isStale(folder) {
  const [host, pid] = (readOwner(folder) ?? "").split(" ");
  try {
    if (Date.now() - fs.statSync(folder).mtimeMs > staleMilliseconds) return true;
    if (host !== os.hostname()) return false;
    process.kill(Number(pid), 0);
    return false;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "ESRCH";
  }
}

/**
 * Removes a stale lock. Of two that find it stale, one may move away the other's new lock: it sees that and puts it back.
 *
 * @param {string} folder
 */
function setAside(folder) {
  const before = readOwner(folder);
  const aside = `${folder}-stale-${process.pid}`;
  try {
    fs.renameSync(folder, aside);
    if (readOwner(aside) !== before) fs.renameSync(aside, folder);
    fs.rmSync(aside, { recursive: true, force: true });
  } catch {
    // Somebody else was first: the next turn of the loop sees what is there now.
  }
}

/** @param {string} folder */
function readOwner(folder) {
  try {
    return fs.readFileSync(path.join(folder, "owner"), "utf8");
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
