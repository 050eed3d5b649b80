import { cpSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mustRun, start } from "../../test/e2e/harness/process.ts";
import { until } from "../../test/e2e/harness/wait.ts";

/** A part of the screen. */
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

const INSTALLED = "/usr/lib/thunderbird";
const SCREEN = "1240x1000x24";

// Nothing that asks the network, greets or blinks; the server's name is this machine.
const PREFERENCES: Readonly<Record<string, string | number | boolean>> = {
  "app.donation.eoy.version.viewed": 999,
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.region.network.url": "",
  "browser.region.update.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.autoDisableScopes": 0,
  "extensions.update.enabled": false,
  "mail.rights.version": 1,
  "mail.shell.checkDefaultClient": false,
  "mailnews.start_page.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.localDomains": "mail.example.com",
  "toolkit.telemetry.enabled": false,
  "ui.caretBlinkTime": 0,
  "ui.prefersReducedMotion": 1,
};

/** A running Thunderbird on a screen of its own. */
export class Thunderbird {
  readonly #folder: string;
  readonly #display: string;

  private constructor(folder: string, display: string) {
    this.#folder = folder;
    this.#display = display;
  }

  /** Starts one that was never run before, in a language (`en-US`, `zh-CN`). */
  static async start(stack: AsyncDisposableStack, folder: string, language: string, display: string) {
    const profile = path.join(folder, "profile");
    for (const name of ["home", "profile", "program"]) mkdirSync(path.join(folder, name), { recursive: true });
    const preferences = Object.entries({ ...PREFERENCES, "intl.locale.requested": language });
    const lines = preferences.map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
    writeFileSync(path.join(profile, "user.js"), lines.join("\n"));
    await copyProgram(path.join(folder, "program"));

    const screen = start("Xvfb", [display, "-screen", "0", SCREEN, "-nolisten", "tcp"], { stdio: "ignore" });
    stack.defer(() => void screen.kill());
    await until("the screen", 20, () => existsSync(`/tmp/.X11-unix/X${display.slice(1)}`));
    const env = {
      ...process.env,
      DISPLAY: display,
      GTK_THEME: "Adwaita",
      HOME: path.join(folder, "home"),
      LANG: "C.UTF-8",
      MAILKEEP_PICTURES: folder,
    };
    const program = path.join(folder, "program", "thunderbird");
    const child = start(program, ["--no-remote", "--profile", profile], { env, stdio: "ignore" });
    stack.defer(() => void child.kill("SIGKILL"));
    const thunderbird = new Thunderbird(folder, display);
    await thunderbird.ask("await until(window); window().moveTo(0, 0); window().resizeTo(1240, 1000)");
    return thunderbird;
  }

  /** Runs the body of an async function inside, with the words of thunderbird.cfg. */
  async ask(code: string): Promise<unknown> {
    const [ask, answer] = ["ask.js", "answer.json"].map((name) => path.join(this.#folder, name)) as [string, string];
    rmSync(answer, { force: true });
    writeFileSync(`${ask}.new`, code);
    renameSync(`${ask}.new`, ask);
    await until(`Thunderbird's answer to ${code}`, 60, () => existsSync(answer));
    const result = JSON.parse(readFileSync(answer, "utf8")) as { value?: unknown; error?: string };
    if (result.error !== undefined) throw new Error(`${code}: ${result.error}`);
    return result.value;
  }

  /** A picture of a part of the screen, once that holds still. */
  async picture(file: string, { x, y, width, height }: Box): Promise<void> {
    const env = { ...process.env, DISPLAY: this.#display };
    const crop = ["-window", "root", "-crop", `${width}x${height}+${x}+${y}`, "+repage", "ppm:-"];
    let last: Buffer | undefined;
    const still = await until(`a picture that holds still for ${file}`, 20, async () => {
      const { stdout } = await mustRun("import", crop, { env });
      const same = last?.equals(stdout) === true;
      last = stdout;
      return same && stdout;
    });
    const { stdout: png } = await mustRun("convert", ["ppm:-", "-strip", "png:-"], { input: still });
    const { stdout: small } = await mustRun("pngquant", ["--strip", "--speed", "1", "-"], { input: png });
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, small);
  }
}

// AutoConfig is read beside the program alone: links to all of it, but for what tells the program where it lies.
async function copyProgram(folder: string): Promise<void> {
  await mustRun("cp", ["-as", `${INSTALLED}/.`, folder]);
  for (const name of ["thunderbird", "thunderbird-bin", "defaults"]) {
    const own = path.join(folder, name);
    rmSync(own, { recursive: true, force: true });
    cpSync(path.join(INSTALLED, name), own, { recursive: true, dereference: true });
  }
  const lines = [
    "//",
    'pref("general.config.filename", "thunderbird.cfg");',
    'pref("general.config.obscure_value", 0);',
    'pref("general.config.sandbox_enabled", false);',
  ];
  mkdirSync(path.join(folder, "defaults/pref"), { recursive: true });
  writeFileSync(path.join(folder, "defaults/pref/autoconfig.js"), lines.join("\n"));
  copyFileSync(path.join(import.meta.dirname, "thunderbird.cfg"), path.join(folder, "thunderbird.cfg"));
}
