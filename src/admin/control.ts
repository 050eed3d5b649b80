import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { once } from "node:events";
import {
  controlSocket,
  encode,
  MessageReader,
  PARTS_OCTETS,
  REQUEST_OCTETS,
  type Reply,
  type Request,
} from "./control-protocol.ts";
import type { Progress } from "./operation.ts";
import { perform } from "./perform.ts";
import { refuse } from "./refusal.ts";
import type { AdminServices } from "./services.ts";
import { withShortPath } from "./short-path.ts";

const MOST_CONNECTIONS = 16;
/** How long a client may be silent while the server waits for it, or take nothing of the answer. */
const SILENCE_MS = 30_000;
const PROGRESS_MS = 100;
const WORKING_MS = 1000;

/**
 * Opens the control socket of a data folder whose lock the caller holds; disposing stops operations that have not come
 * to their commit and removes the socket.
 */
export async function serveControl(options: {
  readonly folder: string;
  readonly services: AdminServices;
}): Promise<AsyncDisposable> {
  const { folder, services } = options;
  const conversations = new Set<Conversation>();
  const server = createServer((socket) => {
    const conversation = new Conversation(socket, services);
    conversations.add(conversation);
    socket.once("close", () => conversations.delete(conversation));
  });
  server.maxConnections = MOST_CONNECTIONS;
  await bind(server, folder);
  return {
    async [Symbol.asyncDispose]() {
      removeSocket(controlSocket(folder));
      const closed = once(server, "close");
      server.close();
      await Promise.all([...conversations].map((conversation) => conversation.stop()));
      await closed;
    },
  };
}

// What a disk that takes nothing any more keeps of it is replaced at the next start, as after a kill.
function removeSocket(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
  }
}

/**
 * The socket is made in a folder that only its owner may enter and moved to its place with its final mode: at no moment
 * may another user connect, and the socket that a killed server left is replaced in one step.
 */
async function bind(server: Server, folder: string): Promise<void> {
  const nursery = path.join(folder, "control.new");
  rmSync(nursery, { recursive: true, force: true });
  mkdirSync(nursery, { mode: 0o700 });
  const made = path.join(nursery, "s");
  await withShortPath(made, async (short) => {
    server.listen(short);
    await once(server, "listening");
  });
  chmodSync(made, 0o600);
  renameSync(made, controlSocket(folder));
  rmSync(nursery, { recursive: true, force: true });
}

/** One connection: one request, and its answer. */
class Conversation {
  readonly #socket: Socket;
  readonly #services: AdminServices;
  readonly #reader = new MessageReader(REQUEST_OCTETS);
  readonly #gone = new AbortController();
  #request: Request | undefined;
  readonly #parts: unknown[] = [];
  #octets = 0;
  #running: Promise<void> | undefined;

  constructor(socket: Socket, services: AdminServices) {
    this.#socket = socket;
    this.#services = services;
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on("data", (octets: Buffer) => this.#take(octets));
    // What follows an error is "close"; why the client went is of no interest here.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#gone.abort());
  }

  /** Gives up what has not come to its commit, and waits for the rest. */
  async stop(): Promise<void> {
    this.#gone.abort();
    await this.#running;
    this.#socket.destroy();
  }

  #take(octets: Buffer): void {
    // Behind a whole request nothing is expected.
    if (this.#running !== undefined) return;
    this.#octets += octets.length;
    if (this.#octets > PARTS_OCTETS) return this.#answer(refuse("bad-input", "", { detail: "it is too large" }));
    this.#reader.push(octets);
    while (this.#running === undefined) {
      const message = this.#reader.next();
      if (message === undefined) return;
      if (message === "malformed") return this.#answer(refuse("bad-input", "", { detail: "no line of JSON" }));
      this.#hear(message);
    }
  }

  #hear(message: object): void {
    if (this.#request === undefined) {
      if (!("call" in message) || typeof message.call !== "string") return this.#answer(refuse("bad-input"));
      this.#request = message as Request;
      if (this.#request.parts === undefined) this.#run(this.#request.call, this.#request.input);
    } else if ("part" in message && Array.isArray(message.part)) {
      for (const member of message.part as unknown[]) this.#parts.push(member);
    } else {
      const { call, input, parts = "" } = this.#request;
      this.#run(call, { ...(input as object), [parts]: this.#parts });
    }
  }

  #run(name: string, input: unknown): void {
    this.#socket.setTimeout(0);
    const call = { services: this.#services, signal: this.#gone.signal, progress: this.#reporter() };
    const sign = setInterval(() => this.#send({ working: true }), WORKING_MS);
    this.#running = perform(name, input, call)
      .finally(() => clearInterval(sign))
      .then((result) => this.#answer(result));
  }

  #reporter(): (progress: Progress) => void {
    let last = 0;
    return (progress) => {
      const now = this.#services.clock.monotonic();
      if (now - last < PROGRESS_MS && progress.done < progress.total) return;
      last = now;
      this.#send({ progress });
    };
  }

  #answer(reply: Reply): void {
    this.#running ??= Promise.resolve();
    if (this.#socket.destroyed) return;
    this.#socket.setTimeout(SILENCE_MS);
    this.#send(reply);
    this.#socket.end();
  }

  #send(reply: Reply): void {
    if (!this.#socket.destroyed) this.#socket.write(encode(reply));
  }
}
