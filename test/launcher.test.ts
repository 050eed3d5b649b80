import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { TestContext } from "node:test";
import lock from "../bin/launcher/install-lock.js";
import installer from "../bin/launcher/install.js";
import pinned from "../bin/launcher/pinned-node.js";
import tasks from "../bin/launcher/tasks.js";

const root = path.resolve(import.meta.dirname, "..");

test("npm test passes a name pattern, options and files on to Node", () => {
  const given = tasks.taskArguments("test", ["--grep", "P3", "--test-only", "src/a.test.ts"]) ?? [];
  assert.equal(given[0], "--test");
  assert.ok(given.includes("--test-name-pattern=\\bP3\\b"));
  assert.ok(given.includes("--test-only"));
  assert.deepEqual(
    given.filter((word) => !word.startsWith("-")),
    ["src/a.test.ts"],
  );
});

test("npm test leaves the end-to-end tests to npm run e2e", () => {
  assert.ok(!tasks.taskArguments("test", [])?.some((word) => word.includes("e2e")));
  assert.ok(tasks.taskArguments("e2e", [])?.includes("test/e2e/**/*.test.ts"));
  assert.equal(tasks.taskArguments("toString", []), undefined);
});

const entry = { version: "1.0.0", integrity: "sha512-a" };
const both = { "": {}, "node_modules/a": entry, "node_modules/b": { ...entry, dev: true } };
const installations: readonly (readonly [name: string, record: object | undefined, serve: boolean, tools: boolean])[] =
  [
    ["nothing installed", undefined, false, false],
    ["everything installed", both, true, true],
    ["installed without devDependencies", { "node_modules/a": entry }, true, false],
    ["a package missing", { "node_modules/b": entry }, false, false],
    ["another version", { ...both, "node_modules/a": { ...entry, version: "1.0.1" } }, false, false],
    ["other octets", { ...both, "node_modules/b": { ...entry, integrity: "sha512-b" } }, false, false],
  ];
for (const [name, record, serve, tools] of installations) {
  test(`node_modules compared with the lock: ${name}`, (context) => {
    const folder = installation(context, both, record);
    assert.equal(installer.isInstalled(folder, { needsTools: false }), serve);
    assert.equal(installer.isInstalled(folder, { needsTools: true }), tools);
  });
}

test("an optional package for another system is not missed", (context) => {
  const folder = installation(context, { "node_modules/c": { ...entry, optional: true } }, {});
  assert.ok(installer.isInstalled(folder, { needsTools: true }));
});

test("a changed lock is noticed although it was installed before", (context) => {
  const folder = installation(context, both, both);
  assert.ok(installer.isInstalled(folder, { needsTools: true }));
  // The stamp alone now says so.
  fs.rmSync(path.join(folder, "node_modules", ".package-lock.json"));
  assert.ok(installer.isInstalled(folder, { needsTools: true }));
  fs.writeFileSync(path.join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {} } }));
  assert.ok(!installer.isInstalled(folder, { needsTools: true }));
});

test("two starts install one after the other", async (context) => {
  const folder = temporaryFolder(context);
  const inside = { now: 0, most: 0, turns: 0 };
  const work = async (): Promise<void> => {
    inside.now += 1;
    inside.turns += 1;
    inside.most = Math.max(inside.most, inside.now);
    await new Promise(setImmediate);
    inside.now -= 1;
  };
  await Promise.all([lock.withInstallLock(folder, work), lock.withInstallLock(folder, work)]);
  assert.deepEqual(inside, { now: 0, most: 1, turns: 2 });
  assert.deepEqual(fs.readdirSync(folder), []);
});

test("the lock of a start that was killed is taken over once its npm has ended too", async (context) => {
  const folder = temporaryFolder(context);
  const held = path.join(folder, ".mailkeep-install");
  const npm = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"]);
  const gone = spawn(process.execPath, ["--version"]);
  await once(gone, "exit");
  fs.mkdirSync(held);
  fs.writeFileSync(path.join(held, "owner"), `${os.hostname()} ${gone.pid} 1`);
  fs.writeFileSync(path.join(held, "child"), String(npm.pid));
  let npmEnded = false;
  const taken = lock.withInstallLock(folder, () => {
    assert.ok(npmEnded);
    return Promise.resolve();
  });
  const ended = once(npm, "exit").then(() => (npmEnded = true));
  npm.kill();
  await Promise.all([taken, ended]);
});

test(
  "the server ends as its launcher is told, and the launcher ends like the server",
  { skip: noSignals() },
  async () => {
    const server = `process.on("SIGTERM", () => process.exit(7)); console.log("ready"); setInterval(() => {}, 1000);`;
    for (const becomes of [true, false]) {
      const launcher = startLauncher(server, becomes);
      await once(launcher.stdout, "data");
      launcher.kill("SIGTERM");
      assert.deepEqual(await once(launcher, "exit"), [7, null]);
    }
  },
);

test("a server that is killed shows in its launcher", { skip: noSignals() }, async () => {
  const launcher = startLauncher(`process.kill(process.pid, "SIGKILL");`, false);
  assert.deepEqual(await once(launcher, "exit"), [null, "SIGKILL"]);
});

test("a server stops when its launcher is killed", { skip: noSignals() }, async () => {
  const watch = path.join(root, "src/app/launcher-watch.ts");
  const server = `import(${JSON.stringify(watch)}).then(({ watchLauncher }) => {
    watchLauncher(() => { console.log("stopped"); process.exit(0); });
    console.log("ready");
    setInterval(() => {}, 1000);
  });`;
  const launcher = startLauncher(server, false);
  await once(launcher.stdout, "data");
  launcher.kill("SIGKILL");
  // The server holds the other end of this pipe: the text ends only when it has ended.
  assert.equal(await text(launcher.stdout), "stopped\n");
});

/** Runs the hand-over in a process of its own, which becomes the server or keeps it as a child. */
function startLauncher(server: string, becomes: boolean): ReturnType<typeof spawnPiped> {
  const handOver = path.join(root, "bin/launcher/hand-over.js");
  return spawnPiped(`
    if (!${becomes}) process.execve = undefined;
    require(${JSON.stringify(handOver)}).handOver(process.execPath, ["--eval", ${JSON.stringify(server)}], {
      environment: process.env,
      directory: ".",
      watched: true,
    });`);
}

function spawnPiped(script: string) {
  return spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
}

/** A folder with a lock, npm's record of what is installed, and a file where the pinned Node belongs. */
function installation(context: TestContext, wanted: object, record: object | undefined): string {
  const folder = temporaryFolder(context);
  fs.writeFileSync(path.join(folder, "package-lock.json"), JSON.stringify({ packages: wanted }));
  if (record === undefined) return folder;
  const node = pinned.pinnedNodePath(folder) ?? path.join(folder, "node_modules", "none");
  fs.mkdirSync(path.dirname(node), { recursive: true });
  fs.writeFileSync(node, "");
  fs.writeFileSync(path.join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages: record }));
  return folder;
}

function temporaryFolder(context: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mailkeep-launcher-"));
  context.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function noSignals(): string | false {
  return process.platform === "win32" ? "there are no signals on this system" : false;
}
