import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeCertificate, type Certificate } from "./certificate.ts";
import { configurationText, domain, type Sections } from "./configuration.ts";
import { freeMailPorts, type Ports } from "./ports.ts";
import { mustRun, run, type Finished } from "./process.ts";
import { mainFile } from "./repository.ts";
import { scratch } from "./scratch.ts";

export type InstallationOptions = {
  /** Local parts of the accounts to make; the password of each is `passwordOf(name)`. */
  readonly users?: readonly string[];
  readonly config?: Sections;
  /** Where the data goes, when not below the installation's own folder. */
  readonly data?: string;
};

/** The password of the account that the harness makes for this local part. */
export function passwordOf(user: string): string {
  return `pass-of-${user}-7Qz`;
}

/** The address of the account that the harness makes for this local part. */
export function addressOf(user: string): string {
  return `${user}@${domain}`;
}

/** A folder with a configuration, a certificate and data, which servers and commands are run on. */
export class Installation {
  readonly folder: string;
  readonly data: string;
  readonly configFile: string;
  readonly tls: Certificate;
  readonly #changes: Sections;
  ports: Ports;

  constructor(folder: string, data: string, tls: Certificate, ports: Ports, changes: Sections) {
    this.folder = folder;
    this.data = data;
    this.configFile = path.join(folder, "mailkeep.yaml");
    this.tls = tls;
    this.ports = ports;
    this.#changes = changes;
    this.configure();
  }

  /** The certificate in PEM, for clients that shall trust it. */
  get ca(): string {
    return readFileSync(this.tls.certificate, "utf8");
  }

  /** The configuration as it stands. */
  get text(): string {
    return readFileSync(this.configFile, "utf8");
  }

  /** Writes the configuration again, with these keys instead of the ones given when it was made. */
  configure(changes: Sections = this.#changes): void {
    writeFileSync(this.configFile, configurationText(this.ports, this.tls, this.data, changes));
  }

  /** Takes other free ports; for a start that found one of them taken meanwhile. */
  async moveToOtherPorts(): Promise<void> {
    this.ports = await freeMailPorts();
    this.configure();
  }

  /** Runs a command of the program on this configuration. */
  cli(commandArguments: readonly string[], options: CliOptions = {}): Promise<Finished> {
    return run(process.execPath, this.#words(commandArguments), this.#options(options));
  }

  /** Runs a command that must succeed. */
  mustCli(commandArguments: readonly string[], options: CliOptions = {}): Promise<Finished> {
    return mustRun(process.execPath, this.#words(commandArguments), this.#options(options));
  }

  #words(commandArguments: readonly string[]): string[] {
    return [mainFile, ...commandArguments, "--config", this.configFile];
  }

  #options({ input = "", env = {}, seconds = 60 }: CliOptions) {
    return { input, seconds, cwd: this.folder, env: cleanEnvironment(env) };
  }
}

export type CliOptions = {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly seconds?: number;
};

/** This process's environment without what would change the program's configuration or words. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(MAILKEEP_|NODE_TEST|NODE_OPTIONS|LC_|LANG)/.test(name),
  );
  return { ...Object.fromEntries(kept), LANG: "C.UTF-8", NO_COLOR: "1", ...extra };
}

/** Makes an installation with its accounts in a folder of its own. */
export async function install(stack: AsyncDisposableStack, options: InstallationOptions = {}): Promise<Installation> {
  const folder = scratch(stack);
  const data = options.data ?? path.join(folder, "data");
  mkdirSync(data, { recursive: true });
  const tls = await makeCertificate(folder);
  const installation = new Installation(folder, data, tls, await freeMailPorts(), options.config ?? {});
  const users = options.users ?? [];
  if (users.length > 0) {
    await installation.mustCli(["domain", "add", domain]);
    await importUsers(
      installation,
      users.map((user) => [addressOf(user), `{PLAIN}${passwordOf(user)}`]),
    );
  }
  return installation;
}

/** Imports accounts, each an address and a secret, by `user import -`. */
export async function importUsers(
  installation: Installation,
  users: readonly (readonly [address: string, secret: string])[],
): Promise<Finished> {
  const input = users.map(([address, secret]) => `${address},${secret}\n`).join("");
  return installation.mustCli(["user", "import", "-"], { input, seconds: 120 });
}
