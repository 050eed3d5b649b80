import { rmSync, writeFileSync } from "node:fs";
import { cleanEnvironment } from "../e2e/harness/installation.ts";
import { mustRun } from "../e2e/harness/process.ts";
import type { Random } from "../e2e/harness/random.ts";
import path from "node:path";
import { CutDisk, type Remains, writeRemains } from "./cut-disk.ts";
import type { Damage } from "./cut-file.ts";
import { CutMoments } from "./cut-moments.ts";
import { preload } from "./library.ts";
import { readRecording } from "./recording.ts";

/** What a second cut left, with words for when it came. */
export type Again = { readonly remains: Remains; readonly words: string };

/**
 * Starts on what a cut left, with every call recorded, and cuts the power once more before that start is through: gives so many
 * states that this leaves.
 */
export async function cutAgain(
  remains: Remains,
  given: {
    readonly count: number;
    readonly library: string;
    readonly folder: string;
    readonly random: Random;
    readonly damage: Damage;
  },
): Promise<Again[]> {
  const { count, library, folder, random, damage } = given;
  const file = `${folder}.recording`;
  rmSync(folder, { recursive: true, force: true });
  writeRemains(remains, folder);
  writeFileSync(file, "");
  const env = { ...preload(library), TORTURE_FOLDER: folder, TORTURE_RECORD: file };
  const upkeep = path.join(import.meta.dirname, "upkeep.ts");
  await mustRun(process.execPath, [upkeep, folder, "open"], { env: cleanEnvironment(env) });
  const moments = new CutMoments(folder);
  const calls = [...readRecording(file)];
  for (const call of calls) moments.note(call);
  const cuts = [...moments.choose(count, random)];
  const disk = new CutDisk(folder);
  disk.begin(remains);
  const found: Again[] = [];
  const cut = (words: string): void => {
    const how = random.pick(["dropped", "any", "mixed", "torn"] as const);
    found.push({ remains: disk.cut(how, random, damage), words: `again ${words}, ${how}` });
  };
  for (const call of calls) {
    for (; cuts[0] !== undefined && cuts[0] <= call.from; cuts.shift()) cut(`before ${call.kind} ${call.path}`);
    disk.apply(call);
  }
  return found;
}
