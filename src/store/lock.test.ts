import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { DiskError, systemDisk } from "./disk.ts";
import { lockFolder } from "./lock.ts";

function temporary(): Disposable & { readonly path: string } {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "mailkeep-lock-"));
  return { path: made, [Symbol.dispose]: () => fs.rmSync(made, { recursive: true }) };
}

describe("the lock of a data folder", () => {
  it("makes the folder for its owner only, and leaves nothing but the lock in it", () => {
    using at = temporary();
    const folder = path.join(at.path, "var", "mail");
    const lock = lockFolder(folder);
    assert.ok(lock.ok);
    using held = lock.value;
    assert.equal(held.folder, folder);
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
    assert.deepEqual(fs.readdirSync(folder), ["lock.db"]);
    assert.deepEqual(lockFolder(folder), { ok: false, error: "held" });
  });

  it("P1: makes the names of the folders that it made durable", () => {
    using at = temporary();
    const synced: string[] = [];
    const disk = {
      ...systemDisk,
      fsyncFolderSync: (folder: string) => {
        synced.push(folder);
        systemDisk.fsyncFolderSync(folder);
      },
    };
    const folder = path.join(at.path, "var", "mail");
    for (let start = 0; start < 2; start += 1) {
      const lock = lockFolder(folder, disk);
      assert.ok(lock.ok);
      lock.value[Symbol.dispose]();
    }
    assert.deepEqual(synced, [at.path, path.join(at.path, "var")]);
  });

  it("is free again when it was given back, or its holder was killed", async () => {
    using at = temporary();
    const first = lockFolder(at.path);
    assert.ok(first.ok);
    first.value[Symbol.dispose]();
    const lockUrl = new URL("./lock.ts", import.meta.url).href;
    const script = `const { lockFolder } = await import(${JSON.stringify(lockUrl)});
      globalThis.kept = lockFolder(${JSON.stringify(at.path)}); console.log(kept.ok); setInterval(() => 0, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = await once(child.stdout, "data");
    assert.equal(String(said), "true\n");
    assert.deepEqual(lockFolder(at.path), { ok: false, error: "held" });
    child.kill("SIGKILL");
    await once(child, "exit");
    const again = lockFolder(at.path);
    assert.ok(again.ok);
    again.value[Symbol.dispose]();
  });

  it("says what is wrong with a folder", () => {
    using at = temporary();
    const file = path.join(at.path, "file");
    fs.writeFileSync(file, "x");
    assert.deepEqual(lockFolder(file), { ok: false, error: "not-a-folder" });
    assert.deepEqual(lockFolder(path.join(file, "within")), { ok: false, error: "not-a-folder" });
    const refusing = (code: string, kind: "failed" | "full") => ({
      ...systemDisk,
      openSync: () => {
        throw new DiskError(kind, "no", { cause: Object.assign(new Error(code), { code }) });
      },
    });
    assert.deepEqual(lockFolder(at.path, refusing("EROFS", "failed")), { ok: false, error: "read-only" });
    assert.deepEqual(lockFolder(at.path, refusing("EACCES", "failed")), { ok: false, error: "read-only" });
    assert.deepEqual(lockFolder(at.path, refusing("EIO", "failed")), { ok: false, error: "failed" });
    assert.deepEqual(lockFolder(at.path, refusing("ENOSPC", "full")), { ok: false, error: "full" });
  });
});
