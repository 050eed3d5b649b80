import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32 } from "node:zlib";
import type { Disk } from "../../src/store/disk.ts";
import { Random } from "../e2e/harness/random.ts";
import type { Fault, Faults, Machine } from "./machine.ts";
import { createMachine, ProcessEnded } from "./machine.ts";

const hooks = { step: () => undefined, later: async <T>(work: () => T): Promise<T> => work() };
const FILE = "/data/file";
const SEEDS = 200;

/** A machine with a file whose name and octets are durable. */
function withFile(content: string): { machine: Machine; disk: Disk; file: number } {
  const machine = createMachine();
  const { disk } = machine.boot(hooks);
  const file = disk.openSync(FILE, "create");
  disk.writevSync(file, [Buffer.from(content)], 0);
  disk.fdatasyncSync(file);
  disk.fsyncFolderSync("/data");
  return { machine, disk, file };
}

function sectors(...letters: string[]): Buffer {
  return Buffer.concat(letters.map((letter) => Buffer.alloc(512, letter)));
}

/** The file as letters, one a sector: "." for zeros, "?" for what nobody wrote, undefined: it is gone. */
function shown(machine: Machine, path = FILE): string | undefined {
  const content = machine.content(path);
  if (content === undefined) return undefined;
  return Array.from({ length: Math.ceil(content.length / 512) }, (_, index) => {
    const sector = content.subarray(index * 512, (index + 1) * 512);
    if (sector.some((octet) => octet !== sector[0])) return "?";
    return sector[0] === 0 ? "." : String.fromCharCode(sector[0] ?? 0);
  }).join("");
}

/** All that a power cut leaves of the same life. */
function outcomes(life: () => Machine, look: (machine: Machine) => unknown = shown): Set<unknown> {
  const found = new Set<unknown>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const machine = life();
    machine.cutPower(new Random(seed));
    found.add(look(machine));
  }
  return found;
}

function sorted(found: Set<unknown>): readonly string[] {
  return [...found].map(String).toSorted();
}

function failOnce(machine: Machine, verb: string, fault: Fault): void {
  machine.faults = (asked) => {
    if (asked !== verb) return undefined;
    machine.faults = undefined;
    return fault;
  };
}

describe("a power cut", () => {
  it("leaves what was synced", () => {
    const found = outcomes(
      () => withFile("kept").machine,
      (machine) => Buffer.from(machine.content(FILE) ?? []).toString(),
    );
    assert.deepEqual(found, new Set(["kept"]));
  });

  it("loses, tears and reorders what was not synced, by sectors", () => {
    const found = outcomes(() => {
      const { machine, disk, file } = withFile("");
      disk.writevSync(file, [sectors("a", "b")], 0);
      disk.writevSync(file, [sectors("c")], 1024);
      return machine;
    });
    for (const state of ["", "ab", "abc", "..c", ".b", "..."]) assert.ok(found.has(state), `${state} can be`);
  });

  it("shows of a sector only what it held at some moment", () => {
    const found = outcomes(() => {
      const { machine, disk, file } = withFile(String(sectors("a", "a")));
      disk.writevSync(file, [sectors("b", "b")], 0);
      disk.writevSync(file, [sectors("c", "c")], 0);
      return machine;
    });
    const all = ["a", "b", "c"].flatMap((one) => ["a", "b", "c"].map((other) => one + other));
    assert.deepEqual(sorted(found), all);
  });

  it("may leave octets that nobody wrote where a file has grown", () => {
    const found = outcomes(() => {
      const { machine, disk, file } = withFile(String(sectors("a")));
      disk.writevSync(file, [sectors("b")], 512);
      return machine;
    });
    assert.deepEqual(sorted(found), ["a", "a.", "a?", "ab"]);
  });

  it("may undo a cut of a file", () => {
    const found = outcomes(() => {
      const { machine, disk, file } = withFile(String(sectors("a", "b")));
      disk.ftruncateSync(file, 512);
      return machine;
    });
    assert.ok(found.has("a") && found.has("ab"));
  });

  it("takes a name that its folder was not synced for, and all below a folder", () => {
    const life = (synced: boolean) => (): Machine => {
      const machine = createMachine();
      const { disk } = machine.boot(hooks);
      disk.mkdirSync("/data/sub");
      const file = disk.openSync("/data/sub/file", "create");
      disk.writevSync(file, [sectors("a")], 0);
      disk.fdatasyncSync(file);
      disk.fsyncFolderSync("/data/sub");
      if (synced) disk.fsyncFolderSync("/data");
      return machine;
    };
    const look = (machine: Machine) => shown(machine, "/data/sub/file");
    assert.deepEqual(outcomes(life(false), look), new Set([undefined, "a"]));
    assert.deepEqual(outcomes(life(true), look), new Set(["a"]));
  });

  it("leaves either of two files where one took the other's name", () => {
    const found = outcomes(
      () => {
        const { machine, disk } = withFile(String(sectors("a")));
        const file = disk.openSync("/data/new", "create");
        disk.writevSync(file, [sectors("b")], 0);
        disk.fdatasyncSync(file);
        disk.renameSync("/data/new", FILE);
        return machine;
      },
      (machine) => `${shown(machine)} ${shown(machine, "/data/new")}`,
    );
    assert.deepEqual(sorted(found), ["a b", "a undefined", "b b", "b undefined"]);
  });

  it("may bring back what was removed, and keeps a name that moved under at least its new one once that is synced", () => {
    const removed = outcomes(() => {
      const { machine, disk } = withFile(String(sectors("a")));
      disk.unlinkSync(FILE);
      return machine;
    });
    assert.deepEqual(removed, new Set([undefined, "a"]));
    const moved = outcomes(
      () => {
        const { machine, disk } = withFile(String(sectors("a")));
        disk.mkdirSync("/data/sub");
        disk.fsyncFolderSync("/data");
        disk.renameSync(FILE, "/data/sub/file");
        disk.fsyncFolderSync("/data/sub");
        return machine;
      },
      (machine) => `${shown(machine)} ${shown(machine, "/data/sub/file")}`,
    );
    assert.deepEqual(sorted(moved), ["a a", "undefined a"]);
  });

  it("is the same for the same seed", () => {
    const state = (seed: number): string => {
      const { machine, disk, file } = withFile("");
      for (let index = 0; index < 20; index += 1) {
        disk.writevSync(file, [sectors(String.fromCharCode(97 + index))], index * 300);
        disk.closeSync(disk.openSync(`/data/${index}`, "create"));
      }
      failOnce(machine, "fdatasyncSync", { error: "io", after: 0.5 });
      assert.throws(() => disk.fdatasyncSync(file));
      disk.writevSync(file, [sectors("z", "z", "z")], 1000);
      machine.cutPower(new Random(seed));
      return `${machine.list("/data").join()} ${crc32(machine.content(FILE) ?? new Uint8Array(0))}`;
    };
    const states = Array.from({ length: 20 }, (_, seed) => state(seed));
    assert.deepEqual(
      states,
      Array.from({ length: 20 }, (_, seed) => state(seed)),
    );
    assert.ok(new Set(states).size > 5);
  });
});

describe("a failed sync", () => {
  it("takes for written what it did not write: no later sync brings it to the disk", () => {
    const found = outcomes(() => {
      const { machine, disk, file } = withFile(String(sectors("a", "a")));
      disk.writevSync(file, [sectors("b", "b")], 0);
      failOnce(machine, "fdatasyncSync", "io");
      assert.throws(() => disk.fdatasyncSync(file), { name: "DiskError", kind: "failed", sync: true });
      disk.writevSync(file, [sectors("c")], 0);
      disk.fdatasyncSync(file);
      assert.equal(shown(machine), "cb");
      return machine;
    });
    assert.deepEqual(found, new Set(["ca"]));
  });

  it("may have written a part", () => {
    const found = new Set<string | undefined>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const machine = createMachine({ seed });
      const { disk } = machine.boot(hooks);
      const file = disk.openSync(FILE, "create");
      disk.fsyncFolderSync("/data");
      disk.ftruncateSync(file, 1024);
      disk.fdatasyncSync(file);
      disk.writevSync(file, [sectors("b", "c")], 0);
      failOnce(machine, "fdatasyncSync", { error: "io", after: 0.5 });
      assert.throws(() => disk.fdatasyncSync(file));
      disk.fdatasyncSync(file);
      machine.cutPower(new Random(seed));
      found.add(shown(machine));
    }
    assert.deepEqual(sorted(found), ["..", ".c", "b.", "bc"]);
  });

  it("of a folder loses its names in the same way", () => {
    const found = outcomes(() => {
      const machine = createMachine();
      const { disk } = machine.boot(hooks);
      const file = disk.openSync(FILE, "create");
      disk.fdatasyncSync(file);
      failOnce(machine, "fsyncFolderSync", "io");
      assert.throws(() => disk.fsyncFolderSync("/data"), { name: "DiskError", sync: true });
      disk.fsyncFolderSync("/data");
      assert.equal(shown(machine), "");
      return machine;
    });
    assert.deepEqual(found, new Set([undefined]));
  });
});

describe("a full disk", () => {
  it("takes what there is room for, then says so", () => {
    const machine = createMachine();
    const { disk, rows } = machine.boot(hooks);
    assert.ok(rows);
    const file = disk.openSync(FILE, "create");
    disk.writevSync(file, [new Uint8Array(100)], 0);
    machine.capacityOctets -= 2 ** 40 - 2 ** 20;
    assert.throws(() => disk.writevSync(file, [new Uint8Array(2 ** 20)], 100), { name: "DiskError", kind: "full" });
    const octets = disk.octetsSync(FILE) ?? 0;
    assert.ok(octets > 100 && octets < 2 ** 20 && octets % 4096 === 0, String(octets));
    disk.writevSync(file, [new Uint8Array(100)], 0);
    assert.throws(() => disk.openSync("/data/other", "create"), { kind: "full" });
  });

  it("gets its room back with a file's last name and descriptor", async () => {
    const machine = createMachine({ capacityOctets: 2 ** 20 });
    const { disk } = machine.boot(hooks);
    const file = disk.openSync(FILE, "create");
    const { free } = await disk.space("/data");
    disk.writevSync(file, [new Uint8Array(10_000)], 0);
    assert.equal((await disk.space("/data")).free, free - 12_288);
    assert.equal(machine.usedOctets, 2 ** 20 - free + 12_288);
    disk.unlinkSync(FILE);
    assert.equal((await disk.space("/data")).free, free - 12_288);
    disk.closeSync(file);
    assert.equal((await disk.space("/data")).free, free);
  });
});

describe("a process", () => {
  it("reads a file that lost its name until it closes it", () => {
    const { machine, disk, file } = withFile("still here");
    disk.unlinkSync(FILE);
    assert.equal(shown(machine), undefined);
    const target = Buffer.alloc(10);
    assert.equal(disk.readSync(file, target, 0), 10);
    assert.equal(String(target), "still here");
    disk.closeSync(file);
    assert.throws(() => disk.readSync(file, target, 0), { kind: "failed" });
  });

  it("leaves what the kernel took when it is killed, and does nothing more", async () => {
    const { machine, disk, file } = withFile("");
    disk.writevSync(file, [sectors("a")], 0);
    const late = disk.write(file, sectors("b"), 0);
    await late;
    machine.kill();
    assert.equal(shown(machine), "b");
    assert.throws(() => disk.writevSync(file, [sectors("c")], 0), ProcessEnded);
    const { disk: next } = machine.boot(hooks);
    assert.throws(() => disk.octetsSync(FILE), ProcessEnded);
    assert.throws(() => next.readSync(file, Buffer.alloc(1), 0), { kind: "failed" });
    assert.equal(next.octetsSync(FILE), 512);
  });

  it("is asked before each step, and can end there", () => {
    const machine = createMachine();
    const steps: string[] = [];
    const step = (what: string): void => {
      steps.push(what);
      if (what.startsWith("writevSync")) throw new Error("the end");
    };
    const { disk } = machine.boot({ ...hooks, step });
    const file = disk.openSync(FILE, "create");
    assert.throws(() => disk.writevSync(file, [sectors("a")], 0), /the end/);
    machine.kill();
    assert.deepEqual(steps, ["openSync /data/file", "writevSync /data/file"]);
    assert.equal(shown(machine), "");
  });

  it("meets the faults that are decided for it", async () => {
    const { machine, disk, file } = withFile(String(sectors("a", "b")));
    const faults: Record<string, ReturnType<Faults>> = {
      renameSync: "io",
      unlink: { error: "io", after: 1 },
      write: { error: "full", after: 0.75 },
      read: { short: 0.25 },
    };
    machine.faults = (verb) => faults[verb];
    assert.throws(() => disk.renameSync(FILE, "/data/other"), { name: "DiskError", kind: "failed", sync: false });
    assert.equal(disk.octetsSync("/data/other"), undefined);
    await assert.rejects(disk.write(file, sectors("c", "c"), 0), { name: "DiskError", kind: "full" });
    assert.equal(shown(machine), "c?");
    assert.equal(await disk.read(file, new Uint8Array(400), 0), 100);
    faults["read"] = "rot";
    const target = new Uint8Array(512);
    assert.equal(await disk.read(file, target, 0), 512);
    assert.equal(target.filter((octet) => octet === "c".charCodeAt(0)).length, 511);
    await assert.rejects(disk.unlink(FILE), { name: "DiskError", kind: "failed" });
    assert.equal(disk.octetsSync(FILE), undefined);
  });

  it("may read a bit that has turned", () => {
    const { machine, disk, file } = withFile("abc");
    machine.flip(FILE, 1, 0);
    const target = Buffer.alloc(3);
    disk.readSync(file, target, 0);
    assert.equal(String(target), "acc");
    machine.cutPower(new Random(1));
    assert.equal(String(Buffer.from(machine.content(FILE) ?? [])), "acc");
  });
});
