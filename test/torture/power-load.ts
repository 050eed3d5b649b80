import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { domain } from "../e2e/harness/configuration.ts";
import { addressOf, cleanEnvironment, passwordOf, type Installation } from "../e2e/harness/installation.ts";
import { mustRun } from "../e2e/harness/process.ts";
import type { Random } from "../e2e/harness/random.ts";
import { serve, type Server } from "../e2e/harness/server.ts";
import { Smtp } from "../e2e/harness/smtp.ts";
import { preload } from "./library.ts";
import { deliver, digestOf, identify, login, remove, type Round } from "./load.ts";
import { Timeline } from "./timeline.ts";

/** The maildrops of the load; in the last one many messages are removed at once. */
export const BOXES = ["anna", "bert", "cora", "many"];

/** Above 2,000 marks a removal is noted, and carried out later (DESIGN "Many marks"). */
const MANY = 2100;
const SENDERS = 10;

/** A load whose calls are recorded, and what its clients were told meanwhile. */
export type Recorded = { readonly file: string; readonly timeline: Timeline };

/**
 * Runs the real program from an empty folder on, with every call recorded: its commands, four starts of the server, of which
 * one comes after a kill and the first meets an empty store, delivery and removal of all sizes, and upkeep.
 */
export async function recordLoad(
  stack: AsyncDisposableStack,
  given: { installation: Installation; library: string; random: Random; messages: number },
): Promise<Recorded> {
  const { installation, library, random, messages } = given;
  const file = path.join(installation.folder, "recording");
  writeFileSync(file, "");
  const env = { ...preload(library), TORTURE_FOLDER: installation.data, TORTURE_RECORD: file };
  const timeline = new Timeline(() => statSync(file).size);
  await installation.mustCli(["domain", "add", domain], { env });
  const input = BOXES.map((box) => `${addressOf(box)},{PLAIN}${passwordOf(box)}\n`).join("");
  await installation.mustCli(["user", "import", "-"], { input, env });
  timeline.opened();
  const start = (): Promise<Server> => serve(stack, installation, { env });
  const mixed = (server: Server, share: number) => loadMixed({ server, timeline, random }, messages * share);

  const first = await start();
  await mixed(first, 0.4);
  await stopped(first);
  const second = await start();
  await mixed(second, 0.2);
  await fillAndEmpty(second, timeline);
  await mixed(second, 0.2);
  await second.kill();
  const third = await start();
  await mixed(third, 0.1);
  await stopped(third);
  // The server's own jobs would do it within a minute.
  const upkeep = path.join(import.meta.dirname, "upkeep.ts");
  await mustRun(process.execPath, [upkeep, installation.data], { env: cleanEnvironment(env) });
  const fourth = await start();
  await mixed(fourth, 0.1);
  await stopped(fourth);
  return { file, timeline };
}

async function stopped(server: Server): Promise<void> {
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, "it stops in good order");
}

type Loaded = { readonly server: Server; readonly timeline: Timeline; readonly random: Random };

async function loadMixed({ server, timeline, random }: Loaded, messages: number): Promise<void> {
  const until = timeline.counts.acknowledged + messages;
  const over = (): boolean => timeline.counts.acknowledged >= until;
  const boxes = BOXES.slice(0, 3);
  const round: Round = { server, ledger: timeline, random, boxes, at: () => Promise.resolve(), over };
  const work = [deliver(round, "lmtp"), deliver(round, "smtp"), deliver(round, "lmtp"), remove(round, boxes)];
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

/** Fills a maildrop with small messages, and removes all of them by one QUIT. */
async function fillAndEmpty(server: Server, timeline: Timeline): Promise<void> {
  const box = "many";
  let next = 0;
  const send = async (): Promise<void> => {
    await using session = await Smtp.open(server.ports.lmtp, { lmtp: true });
    while (next < MANY) {
      next += 1;
      const id = `m${next}`;
      const content = Buffer.from(`X-Kill-Id: ${id}\r\n\r\nOne of many.\r\n`);
      timeline.sending(id, [box], digestOf(content));
      const [reply] = await session.data("many@e2e.test", [addressOf(box)], content);
      assert.equal(reply?.code, 250, JSON.stringify(reply));
      timeline.acknowledged(id, box);
    }
    await session.quit();
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  await using session = await login(server, box);
  const uidls = await session.uidl();
  assert.equal(uidls.length, MANY);
  const ids: string[] = [];
  for (const [index, uidl] of uidls.entries()) {
    const found = { ...identify(await session.retrieve(index + 1)), uidl };
    timeline.seen(box, found);
    ids.push(found.id);
    await session.must(`DELE ${index + 1}`);
  }
  timeline.quitting(box, ids);
  await session.quit();
  timeline.removed(box, ids);
}
