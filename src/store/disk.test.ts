import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { getSystemErrorName } from "node:util";
import { DiskError, failureKind, systemDisk as disk } from "./disk.ts";

function folder(): Disposable & { readonly file: string; readonly path: string } {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "mailkeep-disk-"));
  const dispose = (): void => fs.rmSync(made, { recursive: true });
  return { path: made, file: path.join(made, "file"), [Symbol.dispose]: dispose };
}

const kindOf = (kind: string) => (cause: unknown) => cause instanceof DiskError && cause.kind === kind;

describe("the machine's disk", () => {
  it("writes pieces behind one another at a position, more than one call of the system takes", async () => {
    using at = folder();
    const file = disk.openSync(at.file, "create");
    disk.writevSync(file, [Buffer.from("--"), Buffer.alloc(0)], 0);
    const pieces = Array.from({ length: 3000 }, (_, index) => Buffer.from(String(index % 10)));
    disk.writevSync(file, pieces, 2);
    await disk.write(file, Buffer.from("end"), 3002);
    disk.fdatasyncSync(file);
    await disk.fdatasync(file);
    const expected = `--${pieces.join("")}end`;
    assert.equal(fs.readFileSync(at.file, "latin1"), expected);
    const target = Buffer.alloc(10);
    assert.equal(disk.readSync(file, target, 3000), 5);
    assert.equal(await disk.read(file, target, 9999), 0);
    disk.ftruncateSync(file, 3);
    assert.equal(disk.octetsSync(at.file), 3);
    disk.closeSync(file);
  });

  it("takes a quota that is used up for a full disk, though libuv has no name for it", () => {
    const kind = (name: keyof typeof os.constants.errno) => {
      const errno = -os.constants.errno[name];
      return failureKind(Object.assign(new Error(), { errno, code: getSystemErrorName(errno) }));
    };
    assert.match(getSystemErrorName(-os.constants.errno.EDQUOT), /^Unknown/, "else its name would do");
    assert.deepEqual(
      [kind("ENOSPC"), kind("EDQUOT"), kind("ENOENT"), kind("EIO")],
      ["full", "full", "missing", "failed"],
    );
  });

  it("says how much of the disk that a folder lies on is free", async () => {
    using at = folder();
    const { free, total } = await disk.space(at.path);
    const { bsize, blocks } = fs.statfsSync(at.path);
    assert.equal(total, blocks * bsize);
    assert.ok(free > 0 && free <= total);
    await assert.rejects(disk.space(at.file), kindOf("missing"));
  });

  it("knows what is missing, in the way, or full", async () => {
    using at = folder();
    assert.throws(() => disk.openSync(at.file, "read"), kindOf("missing"));
    assert.throws(() => disk.openSync(at.file, "write"), kindOf("missing"));
    disk.closeSync(disk.openSync(at.file, "create"));
    assert.throws(() => disk.openSync(at.file, "create"), kindOf("failed"));
    assert.equal(disk.octetsSync(path.join(at.path, "none")), undefined);
    disk.unlinkSync(at.file);
    disk.unlinkSync(at.file);
    await disk.unlink(at.file);
    const full = fs.openSync("/dev/full", "w");
    assert.throws(() => disk.writevSync(full, [Buffer.from("x")], 0), kindOf("full"));
    await assert.rejects(disk.write(full, Buffer.from("x"), 0), kindOf("full"));
    fs.closeSync(full);
    await assert.rejects(disk.read(full, Buffer.alloc(1), 0), kindOf("failed"));
  });

  it("gives up where no folder can be made", () => {
    assert.throws(() => disk.mkdirSync("/proc/mailkeep/data"), kindOf("missing"));
    using at = folder();
    fs.writeFileSync(at.file, "x");
    assert.throws(() => disk.mkdirSync(path.join(at.file, "data")), kindOf("failed"));
  });

  it("makes folders for their owner only, and lists and syncs them", () => {
    using at = folder();
    const inner = path.join(at.path, "a", "b");
    disk.mkdirSync(inner);
    disk.mkdirSync(inner);
    assert.equal(fs.statSync(inner).mode & 0o777, 0o700);
    disk.closeSync(disk.openSync(path.join(inner, "x"), "create"));
    disk.renameSync(path.join(inner, "x"), path.join(inner, "y"));
    disk.fsyncFolderSync(inner);
    assert.deepEqual(disk.listSync(inner), ["y"]);
    assert.equal(fs.statSync(path.join(inner, "y")).mode & 0o777, 0o600);
    assert.throws(
      () => disk.fsyncFolderSync(at.file),
      (cause) => cause instanceof DiskError && cause.sync,
    );
  });
});
