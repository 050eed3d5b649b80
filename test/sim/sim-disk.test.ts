import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { crc32 } from "node:zlib";
import type { Disk } from "../../src/store/disk.ts";
import { DiskError, systemDisk } from "../../src/store/disk.ts";
import { temporaryFolder } from "../contracts/store-adapters.ts";
import { Random } from "../e2e/harness/random.ts";
import { createMachine } from "./machine.ts";

const hooks = { step: () => undefined, later: async <T>(work: () => T): Promise<T> => work() };
const NAMES = ["a", "b", "sub", "sub/a", "sub/b", "gone/a", "a/in"];

/** The same random calls on any disk, with what each of them gave. */
function life(disk: Disk, root: string, seed: number): readonly string[] {
  const random = new Random(seed);
  const open: number[] = [];
  const told: string[] = [];
  const at = (): string => path.join(root, random.pick(NAMES));
  const file = (): number => (open.length === 0 ? 1_000_000 : random.pick(open));
  const octets = (): Uint8Array => new Uint8Array(random.between(0, 1500)).fill(random.between(1, 255));
  const content = (descriptor: number, from: number, most: number): string => {
    const target = new Uint8Array(most);
    const read = disk.readSync(descriptor, target, from);
    return `${read} ${crc32(target)}`;
  };
  const calls: readonly (() => unknown)[] = [
    () => open.push(disk.openSync(at(), random.pick(["read", "write", "create", "create"] as const))) > 0,
    () => disk.writevSync(file(), [octets(), octets()], random.between(0, 3000)),
    () => disk.writevSync(file(), [octets()], random.between(0, 100)),
    () => content(file(), random.between(0, 4000), random.between(0, 3000)),
    () => disk.ftruncateSync(file(), random.between(0, 5000)),
    () => disk.renameSync(at(), at()),
    () => disk.unlinkSync(at()),
    () => disk.mkdirSync(path.join(root, random.pick(["sub", "deep/er", "a"]))),
    () => disk.listSync(path.join(root, random.pick(["", "sub", "gone", "a"]))).toSorted(),
    () => disk.fdatasyncSync(file()),
    () => disk.fsyncFolderSync(path.join(root, random.pick(["", "sub", "gone"]))),
    () => {
      const name = at();
      const found = disk.octetsSync(name);
      return found !== undefined && name.endsWith("sub") ? "a folder" : found;
    },
    () => {
      const descriptor = file();
      if (open.includes(descriptor)) open.splice(open.indexOf(descriptor), 1);
      disk.closeSync(descriptor);
    },
  ];
  for (let call = 0; call < 60; call += 1) {
    const chosen = random.between(0, calls.length - 1);
    try {
      told.push(`${chosen}: ${String(calls[chosen]?.())}`);
    } catch (cause) {
      assert.ok(cause instanceof DiskError, String(cause));
      told.push(`${chosen}: ${cause.kind} ${cause.sync}`);
    }
  }
  for (const descriptor of open) disk.closeSync(descriptor);
  return told;
}

describe("the simulated disk", () => {
  it("does what this machine's disk does", () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      using temporary = temporaryFolder();
      const machine = createMachine();
      const { disk } = machine.boot(hooks);
      const expected = life(systemDisk, temporary.folder, seed);
      for (const [call, told] of life(disk, machine.folder, seed).entries())
        assert.equal(told, expected[call], `call ${call} of seed ${seed}`);
    }
  });
});
