import assert from "node:assert/strict";
import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cleanEnvironment, install, type Installation, type InstallationOptions } from "./installation.ts";
import { start } from "./process.ts";
import { mainFile } from "./repository.ts";
import { until, within } from "./wait.ts";

/** One line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>>;

export type End = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

const readySeconds = 20;
const stopSeconds = 30;
const attempts = 3;

/** A running server and what it said so far. */
export class Server {
  readonly installation: Installation;
  readonly log: LogLine[] = [];
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  #output = "";
  #partial = "";

  constructor(installation: Installation, child: ChildProcess) {
    this.installation = installation;
    this.#child = child;
    this.ended = once(child, "close").then(([code, signal]): End => ({ code, signal }));
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#heard(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
  }

  get ports() {
    return this.installation.ports;
  }

  get pid(): number {
    assert.ok(this.#child.pid !== undefined, "the server has a process id");
    return this.#child.pid;
  }

  /** All that was written on stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The lines of the log that carry this event. */
  events(name: string): LogLine[] {
    return this.log.filter((line) => Object.values(line).includes(name));
  }

  /** Waits for an event that came after the first `skip` ones of its name. */
  event(name: string, seconds: number, skip = 0): Promise<LogLine> {
    return until(`the event ${name}\n${this.#output}`, seconds, () => {
      const found = this.events(name)[skip];
      const { exitCode, signalCode } = this.#child;
      const end = `the server ended (${exitCode ?? signalCode}) before ${name}`;
      assert.ok(found !== undefined || this.running, `${end}\n${this.#output}`);
      return found;
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it by SIGTERM, as an operator does; kills it when that takes too long, and says so. */
  async stop(): Promise<End> {
    if (this.running) this.signal("SIGTERM");
    try {
      return await within("the server's end after SIGTERM", stopSeconds, this.ended);
    } catch (cause) {
      this.signal("SIGKILL");
      await this.ended;
      throw cause;
    }
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await within("the server's end after SIGKILL", stopSeconds, this.ended);
  }

  #heard(text: string): void {
    this.#output += text;
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) this.log.push(JSON.parse(line) as LogLine);
  }
}

export type ServeOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** A program with its arguments that starts the server in its place (`prlimit`), process id kept. */
  readonly through?: readonly string[];
};

/** Starts the server and waits until it says that it is ready; a port that somebody took meanwhile is changed. */
export async function serve(
  stack: AsyncDisposableStack,
  installation: Installation,
  options: ServeOptions = {},
): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const server = launch(stack, installation, options);
    try {
      await server.event("server.ready", readySeconds);
      return server;
    } catch (cause) {
      if (attempt === attempts || !/in use|EADDRINUSE/i.test(server.output)) throw cause;
      await installation.moveToOtherPorts();
    }
  }
}

/** Starts the server and waits for nothing; it is killed when the stack is disposed. */
export function launch(
  stack: AsyncDisposableStack,
  installation: Installation,
  { env = {}, through = [] }: ServeOptions = {},
): Server {
  const serving = [process.execPath, mainFile, "serve", "--config", installation.configFile];
  const [program = "", ...words] = [...through, ...serving];
  const child = start(program, words, {
    cwd: installation.folder,
    env: cleanEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const server = new Server(installation, child);
  stack.defer(async () => {
    if (server.running) await server.kill();
  });
  return server;
}

/** Makes an installation and starts a server on it. */
export async function startMailkeep(
  stack: AsyncDisposableStack,
  options: InstallationOptions & ServeOptions = {},
): Promise<Server> {
  return serve(stack, await install(stack, options), options);
}
