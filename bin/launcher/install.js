"use strict";
// Makes node_modules what the lock says. When it already is, this reads two files and is done.

const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { runChild } = require("./hand-over.js");
const { withInstallLock } = require("./install-lock.js");
const { pinnedNodePath } = require("./pinned-node.js");

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, dev?: boolean, devOptional?: boolean }} Entry */

/**
 * Installs what package-lock.json names unless it is there.
 *
 * @param {string} root
 * @param {{ needsTools: boolean }} options
 * @returns {Promise<void>}
 */
async function ensureInstalled(root, options) {
  if (isInstalled(root, options)) return;
  await withInstallLock(root, async (alsoHeldBy) => {
    // Another start may have installed everything while this one waited for the lock.
    if (isInstalled(root, options)) return;
    await install(root, alsoHeldBy);
  });
}

/**
 * Whether node_modules is what the lock says.
 *
 * @param {string} root
 * @param {{ needsTools: boolean }} options
 * @returns {boolean}
 */
function isInstalled(root, { needsTools }) {
  const lock = readIfThere(path.join(root, "package-lock.json"));
  const modules = path.join(root, "node_modules");
  // A package made for shipping has no lock: there is nothing to compare with, and nothing to install from.
  if (lock === undefined) return fs.existsSync(modules);
  const node = pinnedNodePath(root);
  // Also true of a folder that was copied here from another kind of machine.
  if (node !== undefined && !fs.existsSync(node)) return false;
  const stamp = stampOf(lock);
  if (readIfThere(stampPath(root)) === stamp) return true;

  // No stamp: someone ran npm by hand. npm's own record of what it installed tells whether that was enough.
  const record = readIfThere(path.join(modules, ".package-lock.json"));
  if (record === undefined) return false;
  const missing = differences(lock, record);
  if (missing === "none") writeStamp(root, stamp);
  return missing === "none" || (missing === "tools only" && !needsTools);
}

/**
 * What the lock names and npm's record of node_modules lacks or has otherwise.
 *
 * @param {string} lock
 * @param {string} record
 * @returns {"none" | "tools only" | "some"}
 */
function differences(lock, record) {
  /** @type {Record<string, Entry>} */
  const wanted = JSON.parse(lock).packages;
  /** @type {Record<string, Entry>} */
  const found = JSON.parse(record).packages;
  /** @type {"none" | "tools only"} */
  let result = "none";
  for (const [name, entry] of Object.entries(wanted)) {
    if (name === "") continue;
    const installed = found[name];
    if (installed === undefined) {
      if (entry.optional === true) continue;
      if (entry.dev !== true && entry.devOptional !== true) return "some";
      result = "tools only";
    } else if (installed.version !== entry.version || installed.integrity !== entry.integrity) return "some";
  }
  return result;
}

/**
 * @param {string} root
 * @param {(pid: number) => void} onStart is told the process that changes node_modules
 */
async function install(root, onStart) {
  const started = Date.now();
  say("installing the packages that package-lock.json names (npm ci) …");
  fs.rmSync(stampPath(root), { force: true });
  const npm = npmCommand(root);
  const lockBefore = fs.readFileSync(path.join(root, "package-lock.json"), "utf8");
  // Only errors are shown: under an older Node npm warns of packages that will run on the pinned one.
  const end = await runChild(
    npm.program,
    [
      ...npm.arguments,
      "ci",
      "--no-audit",
      "--no-fund",
      "--no-progress",
      "--loglevel=error",
      "--include=dev",
      "--include=optional",
    ],
    // npm's talk goes to stderr: stdout belongs to the command.
    { cwd: root, env: npm.environment, stdio: ["ignore", 2, 2], shell: npm.shell, onStart },
  );
  if (end.signal !== null) throw new Error(`npm ci was ended by ${end.signal}`);
  if (end.code !== 0) throw new Error(`npm ci failed with exit code ${end.code}; what it says is above`);
  writeStamp(root, stampOf(lockBefore));
  say(`installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/**
 * How to run npm: the one that runs us, else the one on the PATH.
 *
 * @param {string} root
 */
function npmCommand(root) {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  const binaries = path.join(root, "node_modules", ".bin");
  const search = (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .filter((folder) => path.resolve(folder) !== binaries);
  // npm puts node_modules/.bin first, where there is a `node` too: npm ci would remove the program that it runs on.
  const environment = { ...process.env, PATH: search.join(path.delimiter) };
  const usable =
    cli !== undefined && path.basename(cli) === "npm-cli.js" && node !== undefined && !node.startsWith(root + path.sep);
  if (usable) return { program: node, arguments: [cli], environment, shell: false };
  return { program: "npm", arguments: [], environment, shell: process.platform === "win32" };
}

/** @param {string} root */
function stampPath(root) {
  return path.join(root, "node_modules", ".mailkeep-lock");
}

/** @param {string} lock */
function stampOf(lock) {
  return `${createHash("sha256").update(lock).digest("hex")}\n`;
}

/**
 * @param {string} root
 * @param {string} stamp
 */
function writeStamp(root, stamp) {
  try {
    fs.writeFileSync(stampPath(root), stamp);
  } catch {
    // A read-only installation is compared anew at each start, which costs a few milliseconds and is right.
  }
}

/**
 * @param {string} file
 * @returns {string | undefined}
 */
function readIfThere(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`mailkeep: ${line}\n`);
}

module.exports = { ensureInstalled, isInstalled };
