import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { checkCertificate } from "../app/certificates.ts";
import { openOffline } from "../app/offline.ts";
import { upgrade } from "../app/upgrade.ts";
import type { World } from "./context.ts";
import { run } from "./run.ts";

/** How a command ended. */
export type Typed = { readonly code: number; readonly out: string; readonly err: string };

/** What a command finds around it. */
export type Around = {
  readonly stdin?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  readonly terminal?: World["stdin"];
  readonly serve?: World["ports"]["serve"];
};

/** The environment of somebody who reads Chinese. */
export const zh = { LC_ALL: "zh_CN.UTF-8" };

/** Types a command line in a folder; words with blanks in them are given as a list. */
export async function typeIn(folder: string, line: string | readonly string[], around: Around = {}): Promise<Typed> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const world: World = {
    stdin: around.terminal ?? Readable.from(around.stdin === undefined ? [] : [Buffer.from(around.stdin)]),
    stdout,
    stderr,
    environment: around.environment ?? {},
    directory: folder,
    ports: { openOffline, upgrade, checkCertificate, serve: around.serve ?? (async () => 0) },
  };
  const words = typeof line === "string" ? line.split(" ").filter(Boolean) : line;
  const [code, out, err] = await Promise.all([
    run(words, world).finally(() => {
      stdout.end();
      stderr.end();
    }),
    text(stdout),
    text(stderr),
  ]);
  return { code, out, err };
}
