import assert from "node:assert/strict";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { cleanEnvironment } from "../e2e/harness/installation.ts";
import { mustRun } from "../e2e/harness/process.ts";
import { Random } from "../e2e/harness/random.ts";
import { scratch } from "../e2e/harness/scratch.ts";
import { CutDisk, writeRemains } from "./cut-disk.ts";
import { buildLibrary, preload } from "./library.ts";
import { digestOf } from "./load.ts";
import { checkRemains } from "./power-check.ts";
import { BOXES } from "./power-load.ts";
import { readRecording } from "./recording.ts";
import { Timeline, type Wrong } from "./timeline.ts";

test("P1: a power cut loses nothing that was acknowledged, and would where a sync were left out", async (t) => {
  await using stack = new AsyncDisposableStack();
  const place = scratch(stack);
  const data = path.join(place, "data");
  const file = path.join(place, "recording");
  mkdirSync(data);
  writeFileSync(file, "");
  const library = await buildLibrary("record.c", place);
  const env = cleanEnvironment({ ...preload(library), TORTURE_FOLDER: data, TORTURE_RECORD: file });
  const timeline = new Timeline(() => statSync(file).size);
  const content = Buffer.from("Some words.\r\n".repeat(100));
  for (const id of ["a", "b", "c"])
    timeline.sending(
      id,
      BOXES.slice(0, 1),
      digestOf(Buffer.concat([Buffer.from(`X-Kill-Id: ${id}\r\n\r\n`), content])),
    );
  await mustRun(process.execPath, [path.join(import.meta.dirname, "few-messages.ts"), data], { env });
  timeline.opened();
  for (const id of ["a", "b", "c"]) timeline.acknowledged(id, BOXES[0] ?? "");

  let states = 0;
  const cutWithout = async (forgotten: RegExp): Promise<readonly Wrong[]> => {
    const disk = new CutDisk(data, (name) => forgotten.test(path.relative(data, name)));
    for (const call of readRecording(file)) disk.apply(call);
    const folder = path.join(place, `state${++states}`);
    writeRemains(disk.cut("dropped", new Random(1), { dropped: 0, torn: 0, reordered: 0 }), folder);
    return checkRemains(folder, timeline, statSync(file).size);
  };
  await t.test("nothing is lost", async () => assert.deepEqual(await cutWithout(/^never$/), []));
  for (const [what, names] of [
    ["a segment", /^bodies\/segments\/./],
    ["the segments' folder", /^bodies\/segments$/],
    ["the log", /-wal$/],
    ["the data folder", /^$/],
  ] as const)
    await t.test(`without the syncs of ${what} a loss is found`, async () => {
      const wrong = await cutWithout(names);
      assert.ok(
        wrong.some(({ kind }) => kind === "lost"),
        JSON.stringify(wrong),
      );
    });
});
