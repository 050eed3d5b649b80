import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import type { Installation } from "../e2e/harness/installation.ts";
import { deliver } from "../e2e/harness/maildrop.ts";
import { serve } from "../e2e/harness/server.ts";
import { type Remains, writeRemains } from "./cut-disk.ts";
import { login, survey } from "./load.ts";
import { BOXES } from "./power-load.ts";
import type { Timeline, Wrong } from "./timeline.ts";

/**
 * Starts the real server on what a cut left and looks at every maildrop by POP3; then delivers and removes, kills it, and
 * looks whether both are still so.
 */
export async function serveRemains(
  remains: Remains,
  installation: Installation,
  timeline: Timeline,
  cut: number,
): Promise<Wrong[]> {
  rmSync(installation.data, { recursive: true, force: true });
  writeRemains(remains, installation.data);
  await using stack = new AsyncDisposableStack();
  const server = await serve(stack, installation);
  const found = await Promise.all(BOXES.map(async (box) => [box, await survey(server, box)] as const));
  const wrong = timeline.judge(cut, new Map(found));
  if (wrong.length > 0) return wrong;
  const [box = ""] = BOXES;
  await deliver(server, box, 1, cut);
  const wanted = await removeFirst(await login(server, box));
  await server.kill();
  const again = await serve(stack, installation);
  await using session = await login(again, box);
  assert.deepEqual(await session.uidl(), wanted, "what was delivered and removed after the cut");
  await session.quit();
  assert.deepEqual(await again.stop(), { code: 0, signal: null }, "it stops in good order");
  return [];
}

async function removeFirst(session: Awaited<ReturnType<typeof login>>): Promise<string[]> {
  const [, ...rest] = await session.uidl();
  await session.must("DELE 1");
  await session.quit();
  return rest;
}
