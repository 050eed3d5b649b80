import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../e2e/harness/random.ts";
import type { Kind } from "./calls.ts";
import { CutDisk, type Remains } from "./cut-disk.ts";
import type { Call } from "./recording.ts";

let time = 0;

function call(kind: Kind, place: string, more: Partial<Call> = {}): Call {
  time += 1;
  const path = place === "" ? "/data" : `/data/${place}`;
  return {
    kind,
    path,
    other: "",
    opening: "",
    offset: 0,
    truncates: false,
    data: Buffer.of(),
    from: time - 1,
    to: time,
    ...more,
  };
}

const write = (opening: string, offset: number, text: string): Call =>
  call("write", "", { opening, offset, data: Buffer.from(text) });
const rename = (from: string, to: string): Call => call("rename", from, { other: `/data/${to}` });

function disk(...calls: readonly Call[]): CutDisk {
  const made = new CutDisk("/data");
  for (const one of calls) made.apply(one);
  return made;
}

/** All that cuts of one kind leave, each once. */
function remainsOf(of: CutDisk, how: Parameters<CutDisk["cut"]>[0]): string[] {
  const random = new Random(7);
  const damage = { dropped: 0, torn: 0, reordered: 0 };
  return [...new Set(Array.from({ length: 300 }, () => show(of.cut(how, random, damage))))].toSorted();
}

function show(remains: Remains): string {
  return [...remains]
    .map(([name, what]) => `${name}:${what.toString("latin1")}`)
    .toSorted()
    .join(" ");
}

test("a cut leaves what was synced, and of the rest what a disk may have done with it", async (t) => {
  await t.test("a name without a sync of its folder, and octets without one of their file, may be there or not", () => {
    const made = disk(call("create", "a", { opening: "1" }), write("1", 0, "x"), call("sync", "a", { opening: "1" }));
    assert.deepEqual(remainsOf(made, "any"), ["", "a:x"]);
    const named = disk(
      call("create", "a", { opening: "1" }),
      call("open", "", { opening: "0" }),
      call("sync", "", { opening: "0" }),
    );
    named.apply(write("1", 0, "x"));
    assert.deepEqual(remainsOf(named, "any"), ["a:", "a:\0", "a:x"]);
    assert.deepEqual(remainsOf(named, "kept"), ["a:x"]);
    assert.deepEqual(remainsOf(named, "dropped"), ["a:"]);
  });
  await t.test("sectors are whole, in any order; a torn write has its first ones", () => {
    const made = disk(
      call("create", "a", { opening: "1" }),
      call("open", "", { opening: "0" }),
      call("sync", "", { opening: "0" }),
    );
    made.apply(write("1", 0, "a".repeat(1024)));
    made.apply(call("sync", "a", { opening: "1" }));
    made.apply(write("1", 0, "b".repeat(1024)));
    const shown = (how: "any" | "torn") => remainsOf(made, how).map((text) => text.replaceAll(/(.)\1{511}/g, "$1"));
    assert.deepEqual(shown("any"), ["a:aa", "a:ab", "a:ba", "a:bb"]);
    assert.deepEqual(shown("torn"), ["a:aa", "a:ba", "a:bb"]);
  });
  await t.test("a truncation may have come or not; what is written behind it stands in zeros", () => {
    const made = disk(
      call("create", "a", { opening: "1" }),
      call("open", "", { opening: "0" }),
      call("sync", "", { opening: "0" }),
    );
    made.apply(write("1", 0, "abc"));
    made.apply(call("sync", "a", { opening: "1" }));
    made.apply(call("truncate", "a", { opening: "1", offset: 0 }));
    assert.deepEqual(remainsOf(made, "torn"), ["a:", "a:abc"]);
    made.apply(write("1", 2, "z"));
    assert.deepEqual(remainsOf(made, "kept"), ["a:\0\0z"]);
    const long = disk(
      call("create", "a", { opening: "1" }),
      call("open", "", { opening: "0" }),
      call("sync", "", { opening: "0" }),
    );
    long.apply(write("1", 0, "a".repeat(1024)));
    long.apply(call("sync", "a", { opening: "1" }));
    long.apply(call("truncate", "a", { opening: "1", offset: 0 }));
    assert.deepEqual(remainsOf(long, "any"), ["a:", `a:${"a".repeat(1024)}`]);
  });
  await t.test("what a cut left does not change with what comes after", () => {
    const made = disk(call("create", "a", { opening: "1" }), call("open", "", { opening: "0" }));
    made.apply(call("sync", "", { opening: "0" }));
    made.apply(write("1", 0, "abc"));
    made.apply(call("sync", "a", { opening: "1" }));
    const remains = made.cut("kept", new Random(1), { dropped: 0, torn: 0, reordered: 0 });
    made.apply(write("1", 0, "xyz"));
    made.apply(call("sync", "a", { opening: "1" }));
    assert.equal(show(remains), "a:abc");
  });
  await t.test("a rename may have come or not, or have left both names, but never takes both away", () => {
    const made = disk(call("mkdir", "one"), call("mkdir", "two"), call("open", "", { opening: "0" }));
    made.apply(call("create", "one/a", { opening: "1" }));
    made.apply(call("open", "one", { opening: "2" }));
    for (const opening of ["0", "2"]) made.apply(call("sync", "", { opening }));
    made.apply(rename("one/a", "two/b"));
    assert.deepEqual(remainsOf(made, "any"), [
      "one/a: one:folder two/b: two:folder",
      "one/a: one:folder two:folder",
      "one:folder two/b: two:folder",
    ]);
    made.apply(call("open", "two", { opening: "3" }));
    made.apply(call("sync", "two", { opening: "3" }));
    assert.deepEqual(remainsOf(made, "dropped"), ["one/a: one:folder two/b: two:folder"]);
  });
  await t.test("what lies in a folder whose own name is not on disk is lost with it", () => {
    const made = disk(
      call("mkdir", "one"),
      call("create", "one/a", { opening: "1" }),
      call("open", "one", { opening: "2" }),
    );
    made.apply(call("sync", "one", { opening: "2" }));
    assert.deepEqual(remainsOf(made, "dropped"), [""]);
  });
  await t.test("it counts what it did", () => {
    const made = disk(
      call("create", "a", { opening: "1" }),
      call("open", "", { opening: "0" }),
      call("sync", "", { opening: "0" }),
    );
    for (const offset of [0, 512, 1024]) made.apply(write("1", offset, "x".repeat(512)));
    const damage = { dropped: 0, torn: 0, reordered: 0 };
    made.cut("dropped", new Random(1), damage);
    assert.deepEqual(damage, { dropped: 3, torn: 0, reordered: 0 });
    for (let count = 0; count < 50; count += 1) made.cut("any", new Random(count), damage);
    assert.ok(damage.reordered > 0);
  });
});
