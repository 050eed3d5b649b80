import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { formatOctets } from "../../src/config/octets.ts";
import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import { openStore } from "../../src/store/open.ts";
import { SCHEMA_VERSION } from "../../src/store/sql/migrations.ts";
import type { Upgraded } from "../../src/store/upgrade/upgraded.ts";
import { fixtureSchemas, layOut, readFixture, type Fixture } from "../contracts/earlier/fixture.ts";
import { heldMaildrops } from "../contracts/earlier/held.ts";
import { cleanEnvironment } from "../e2e/harness/installation.ts";
import { mustRun } from "../e2e/harness/process.ts";
import { mainFile } from "../e2e/harness/repository.ts";
import { scratch } from "../e2e/harness/scratch.ts";
import type { Figures } from "../reliability/figures.ts";
import type { PartOptions } from "../reliability/parts.ts";
import { layOutGrown } from "./upgrades/grow.ts";

/**
 * "Upgrades" of issue 5: stores that the programs of earlier schemas made are migrated by the real command, and one that is
 * large (`--messages N`). Fails when a UIDL, a size or a body is another afterwards.
 */
export async function run(options: PartOptions): Promise<Figures> {
  const messages = Number(options["messages"] ?? 20_000);
  const older = fixtureSchemas().filter((schema) => schema < SCHEMA_VERSION);
  const rows: (readonly [string, string])[] = [];
  for (const schema of older) {
    const fixture = readFixture(schema);
    const made = await migrated(fixture, (folder) => (layOut(fixture, folder), fixture), []);
    const count = fixture.maildrops.reduce((sum, maildrop) => sum + maildrop.messages.length, 0);
    rows.push([
      `schema ${schema} → ${SCHEMA_VERSION}, the store that the program of ${fixture.program} made`,
      `${count} messages in ${fixture.maildrops.length} maildrops: 0 lost, 0 changed UIDLs, ${made.bodiesRead} bodies compared, ${made.seconds.toFixed(1)} s`,
    ]);
  }
  const [oldest = SCHEMA_VERSION] = older;
  const fixture = readFixture(oldest);
  for (const words of [[], ["--all"]]) {
    const made = await migrated(fixture, (folder) => layOutGrown(fixture, folder, messages), words);
    const what = `schema ${oldest} → ${SCHEMA_VERSION}, with ${messages.toLocaleString("en")} messages more`;
    const all = words.length > 0;
    rows.push([
      `${what}${all ? ", all bodies read (--all)" : ""}`,
      `${made.seconds.toFixed(1)} s; ${formatOctets(made.octetsCopied)} copied, ${made.bodiesRead.toLocaleString("en")} bodies compared; 0 lost, 0 changed UIDLs`,
    ]);
  }
  return { name: "upgrades", command: `npm run measure -- upgrades --messages ${messages}`, rows };
}

type Migrated = Extract<Upgraded, { kind: "migrated" }> & { readonly seconds: number };

/** Migrates a store in a folder of its own by the command, and looks whether it holds what it held. */
async function migrated(
  { schema }: Fixture,
  make: (folder: string) => Fixture,
  words: readonly string[],
): Promise<Migrated> {
  await using stack = new AsyncDisposableStack();
  const folder = scratch(stack);
  const data = path.join(folder, "data");
  mkdirSync(data);
  const wanted = make(data);
  const configuration = path.join(folder, "mailkeep.yaml");
  writeFileSync(configuration, JSON.stringify({ server: { hostname: "mail.e2e.test", data_directory: data } }));
  const command = [mainFile, "store", "migrate", "--json", ...words, "--config", configuration];
  const end = await mustRun(process.execPath, command, { env: cleanEnvironment(), seconds: 600 });
  const said = JSON.parse(end.text) as Upgraded;
  assert.ok(said.kind === "migrated");
  assert.deepEqual([said.from, said.to, said.bodiesDamaged], [schema, SCHEMA_VERSION, 0]);
  const opened = await openStore({ folder: data, log: silentLog, metrics: testMetrics().metrics });
  assert.ok(opened.ok);
  await using store = opened.value;
  const held = await heldMaildrops(store, wanted);
  for (const [index, maildrop] of wanted.maildrops.entries()) assert.deepEqual(held[index], maildrop);
  return { ...said, seconds: end.seconds };
}
