import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { mustRun } from "../test/e2e/harness/process.ts";
import { scratch } from "../test/e2e/harness/scratch.ts";
import { connect, connectUntrusted } from "./guide-pictures/scenes.ts";
import { startFirstRun, startGuideServer } from "./guide-pictures/servers.ts";
import { Thunderbird } from "./guide-pictures/thunderbird.ts";

/*
 * Makes the pictures of docs/guide/pictures with the real Thunderbird on a screen that nobody sees:
 *
 *   node scripts/guide-pictures.ts
 *
 * It needs Linux, and of Debian: thunderbird thunderbird-l10n-zh-cn xvfb imagemagick pngquant curl openssl iproute2
 * fonts-dejavu-core fonts-noto-cjk. It is run by hand when Thunderbird or a guide has changed; CI only looks whether the
 * pictures are there.
 */

const pictures = path.resolve(import.meta.dirname, "../docs/guide/pictures");
const languages = [
  { tag: "en", thunderbird: "en-US" },
  { tag: "zh-CN", thunderbird: "zh-CN" },
];

if (process.env["MAILKEEP_GUIDE_PICTURES"] === undefined) {
  // In a network of its own the ports of the standards are free, and nothing in a picture depends on the world outside.
  const words = ["--map-root-user", "--net", process.execPath, import.meta.filename];
  const env = { ...process.env, MAILKEEP_GUIDE_PICTURES: "inside" };
  process.exitCode = spawnSync("unshare", words, { stdio: "inherit", env }).status ?? 1;
} else {
  await makePictures();
}

async function makePictures(): Promise<void> {
  await mustRun("ip", ["link", "set", "lo", "up"]);
  await using stack = new AsyncDisposableStack();
  const folder = scratch(stack);
  const server = await startGuideServer(stack, path.join(folder, "server"));
  await startFirstRun(stack, path.join(folder, "first-run"));
  for (const [index, { tag, thunderbird: locale }] of languages.entries()) {
    const target = path.join(pictures, tag);
    await withThunderbird(path.join(folder, `${tag}-trusted`), locale, 70 + 2 * index, (program) =>
      connect(program, server, target),
    );
    await withThunderbird(path.join(folder, `${tag}-untrusted`), locale, 71 + 2 * index, (program) =>
      connectUntrusted(program, target),
    );
  }
}

async function withThunderbird(
  folder: string,
  locale: string,
  display: number,
  work: (program: Thunderbird) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  mkdirSync(folder);
  await work(await Thunderbird.start(stack, folder, locale, `:${display}`));
}
