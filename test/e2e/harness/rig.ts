import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mustRun, run } from "./process.ts";
import { sharedFolder } from "./repository.ts";

/** What a load tool counted; its report has more fields than are named here. */
export type LoadReport = Readonly<Record<string, unknown>> & {
  readonly errors: Readonly<Record<string, unknown>>;
};

/** The measuring rig of ../shared/bench, built in a folder of its own. */
export class Rig {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Runs smtpload or popload and gives its report, whatever it counted. */
  async load(tool: "smtpload" | "popload", words: readonly string[], seconds: number): Promise<LoadReport> {
    const end = await run(path.join(this.folder, tool), words, { seconds });
    assert.match(end.text, /^\{/, `${tool} reports: ${end.text}${end.stderr}`);
    return JSON.parse(end.text) as LoadReport;
  }

  /** Writes a users file for the tools, `name:password` a line, and gives its path. */
  users(name: string, users: readonly (readonly [user: string, password: string])[]): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, users.map(([user, password]) => `${user}:${password}\n`).join(""));
    return file;
  }
}

/** Copies the rig's sources into a folder and builds them there. */
export async function buildRig(folder: string): Promise<Rig> {
  cpSync(sharedFolder("bench"), folder, { recursive: true, mode: 0 });
  await mustRun("chmod", ["-R", "u+w", folder]);
  await mustRun("sh", [path.join(folder, "build.sh")], { seconds: 120 });
  return new Rig(folder);
}
