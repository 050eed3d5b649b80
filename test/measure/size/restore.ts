import assert from "node:assert/strict";
import { addressOf, passwordOf } from "../../e2e/harness/installation.ts";
import type { Server } from "../../e2e/harness/server.ts";
import { LargeSession } from "./large-session.ts";
import { Others, type Waits, type Watch } from "./others.ts";

/** How undelete of a large maildrop went. */
export type Restored = { readonly seconds: number; readonly waits: Waits };

/** Brings back all that a session removed, as an administrator does, while others are served. */
export async function restoreAll(server: Server, watch: Watch, user: string, messages: number): Promise<Restored> {
  await using others = new Others(watch);
  const begin = performance.now();
  const { waits } = await others.during(() =>
    server.installation.mustCli(["maildrop", "restore", addressOf(user)], { seconds: 1800 }),
  );
  const seconds = (performance.now() - begin) / 1000;
  const { session } = await LargeSession.login(server.ports.pop3, addressOf(user), passwordOf(user));
  const stat = await session.status("STAT");
  assert.equal(stat.split(" ")[1], String(messages), "all of it came back");
  await session.quit();
  return { seconds, waits };
}
