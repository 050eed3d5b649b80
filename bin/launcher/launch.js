"use strict";
// Starts the pinned Node: installs it first when needed, then becomes it.

const path = require("node:path");
const { handOver } = require("./hand-over.js");
const { ensureInstalled } = require("./install.js");
const { findNode } = require("./pinned-node.js");

const root = path.resolve(__dirname, "..", "..");

/**
 * Runs Node with these arguments and ends as it ends.
 *
 * @param {readonly string[]} nodeArguments
 * @param {{ task: boolean, directory?: string }} options
 *   task: it needs devDependencies and is no server; directory: where it runs, else where the caller is.
 * @returns {Promise<void>}
 */
async function launch(nodeArguments, options) {
  try {
    await ensureInstalled(root, { needsTools: options.task });
    const environment = {
      // The cache lies in node_modules, so that it goes when what it was made from goes.
      NODE_COMPILE_CACHE: path.join(root, "node_modules", ".cache", "node"),
      ...process.env,
    };
    await handOver(findNode(root), nodeArguments, {
      environment,
      directory: options.directory ?? process.cwd(),
      watched: !options.task,
    });
  } catch (cause) {
    process.stderr.write(`mailkeep: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    process.exitCode = 1;
  }
}

module.exports = { launch, root };
