import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/schema.ts";
import type { Result } from "../lib/result.ts";
import { ok } from "../lib/result.ts";
import type { Admin } from "../admin/operations.ts";
import type { Refusal } from "../admin/refusal.ts";
import type { OfflineRefusal } from "../admin/services.ts";
import { version } from "../app/version.ts";
import type { UpgradeRefusal } from "../store/upgrade/upgraded.ts";
import { loadOrFail } from "./configuration.ts";
import { Failure, type Context } from "./context.ts";

const STARTING_TRIES = 8;
const STARTING_PAUSE_MS = 250;

type Use<T> = (admin: Admin, config: Config) => Promise<T>;
type AloneRefusal = { readonly kind: OfflineRefusal["kind"] | UpgradeRefusal["kind"]; readonly reason: string };
type Alone<T> = (config: Config) => Promise<Result<T, AloneRefusal>>;

/**
 * Runs administrative operations by the server of the configured data folder, or by its store opened here when no
 * server runs.
 */
export function withAdmin<T>(context: Context, use: Use<T>): Promise<T> {
  return byServerOr(context, use, async (config) => {
    const offline = await context.world.ports.openOffline(config);
    if (!offline.ok) return offline;
    const { localAdmin } = await import("../admin/perform.ts");
    try {
      return ok(await use(localAdmin(offline.value.services), config));
    } finally {
      await offline.value.close();
    }
  });
}

/** Does something by the server of the configured data folder, or alone with the folder when no server runs. */
export async function byServerOr<T>(context: Context, byServer: Use<T>, alone: Alone<T>): Promise<T> {
  const { config } = await loadOrFail(context);
  const folder = config.server.dataDirectory;
  const { findServer } = await import("../admin/control-client.ts");
  for (let tries = 1; ; tries += 1) {
    const server = await findServer(folder);
    if (server.ok) return byServer(server.value, config);
    if (server.error === "forbidden") throw new Failure(context.say("server.forbidden", { folder }));
    const done = await alone(config);
    if (done.ok) return done.value;
    // A server that holds the lock and has no socket yet is starting, or it is stopping.
    if (done.error.kind !== "held" || tries >= STARTING_TRIES) throw offlineFailure(context, done.error, folder);
    await sleep(STARTING_PAUSE_MS);
  }
}

function offlineFailure({ say }: Context, { kind, reason }: AloneRefusal, folder: string): Failure {
  const message = kind === "held" ? say("server.silent", { folder }) : say(`offline.${kind}`, { folder, reason });
  return new Failure(message, { code: kind });
}

/** The value of an operation; its refusal ends the command with a line that says what to type next. */
export function valueOf<T>({ say }: Context, result: Result<T, Refusal>): T {
  if (result.ok) return result.value;
  const { code, subject, detail = "", problems = [] } = result.error;
  const values = { subject, detail, count: new Set(problems.map(({ line }) => line)).size, version };
  throw new Failure(say(`refusal.${code}`, values), result.error);
}
