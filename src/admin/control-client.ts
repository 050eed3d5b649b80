import { connect, type Socket } from "node:net";
import { err, ok, type Result } from "../lib/result.ts";
import { controlSocket, encode, MessageReader, REPLY_OCTETS, type Reply } from "./control-protocol.ts";
import type { Admin, CallOptions, OperationName, OutputOf } from "./operations.ts";
import { refuse, type Refusal } from "./refusal.ts";
import { withShortPath } from "./short-path.ts";

/** "absent": no server runs on this folder; "forbidden": one may, and this user must not speak to it. */
export type NoServer = "absent" | "forbidden";

/** The list of an operation's input that is too long for one line and goes in parts. */
const PARTED: Partial<Record<OperationName, string>> = { "user.import": "entries" };
const PART_OCTETS = 256 * 1024;
/** A server that works says so every second. */
const SILENCE_MS = 10_000;

/** Administration by the server that runs on this data folder. */
export async function findServer(folder: string, silenceMs = SILENCE_MS): Promise<Result<Admin, NoServer>> {
  const socket = await open(folder);
  if (!socket.ok) return socket;
  socket.value.destroy();
  return ok({
    async call(name, input, options = {}) {
      const result = await converse(folder, silenceMs, name, input, options);
      return result as Result<OutputOf<typeof name>, Refusal>;
    },
  });
}

async function open(folder: string): Promise<Result<Socket, NoServer>> {
  return withShortPath(controlSocket(folder), async (short) => {
    const socket = connect(short);
    const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      socket.once("connect", () => resolve(undefined));
      socket.once("error", resolve);
    });
    if (failure === undefined) return ok(socket);
    const { code = "" } = failure;
    if (code === "EACCES" || code === "EPERM") return err("forbidden");
    // ECONNREFUSED: the socket of a server that was killed.
    if (["ENOENT", "ENOTDIR", "ECONNREFUSED", "ENOTSOCK"].includes(code)) return err("absent");
    throw new Error(`connecting to ${controlSocket(folder)}`, { cause: failure });
  });
}

async function converse(
  folder: string,
  silenceMs: number,
  name: OperationName,
  input: unknown,
  options: CallOptions,
): Promise<Result<unknown, Refusal>> {
  const opened = await open(folder);
  if (!opened.ok) return refuse("gone", name);
  using socket = disposable(opened.value);
  const answer = hear(socket.socket, silenceMs, name, options);
  await say(socket.socket, name, input);
  return await answer;
}

function disposable(socket: Socket): Disposable & { readonly socket: Socket } {
  return { socket, [Symbol.dispose]: () => void socket.destroy() };
}

function hear(
  socket: Socket,
  silenceMs: number,
  name: string,
  options: CallOptions,
): Promise<Result<unknown, Refusal>> {
  const reader = new MessageReader(REPLY_OCTETS);
  return new Promise((resolve) => {
    const giveUp = (): void => void socket.destroy();
    options.signal?.addEventListener("abort", giveUp);
    socket.setTimeout(silenceMs, () => {
      resolve(refuse("silent", name));
      giveUp();
    });
    socket.on("error", giveUp);
    socket.once("close", () => {
      options.signal?.removeEventListener("abort", giveUp);
      // Harmless where an answer came.
      resolve(refuse("gone", name));
    });
    socket.on("data", (octets: Buffer) => {
      reader.push(octets);
      for (let message = reader.next(); message !== undefined; message = reader.next()) {
        if (message === "malformed") return giveUp();
        const reply = message as Reply;
        if ("progress" in reply) options.progress?.(reply.progress);
        else if (!("working" in reply)) resolve(reply);
      }
    });
  });
}

async function say(socket: Socket, name: OperationName, input: unknown): Promise<void> {
  const parts = PARTED[name];
  if (parts === undefined) return send(socket, encode({ call: name, input }));
  const { [parts]: list, ...rest } = input as Readonly<Record<string, unknown>>;
  await send(socket, encode({ call: name, input: rest, parts }));
  let part: unknown[] = [];
  let octets = 0;
  for (const member of list as readonly unknown[]) {
    part.push(member);
    octets += Buffer.byteLength(JSON.stringify(member)) + 1;
    if (octets < PART_OCTETS) continue;
    await send(socket, encode({ part }));
    [part, octets] = [[], 0];
  }
  if (part.length > 0) await send(socket, encode({ part }));
  await send(socket, encode({ end: true }));
}

// Also done when the connection is gone: `hear` then says so.
function send(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.once("close", resolve);
    socket.write(text, () => {
      socket.off("close", resolve);
      resolve();
    });
  });
}
