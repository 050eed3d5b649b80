import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { within } from "../../e2e/harness/wait.ts";
import type { Bindings } from "../rules/sasl.ts";

/** How a client comes, and how it goes: "half": it closes its own direction and reads on. */
export type Way = "clear" | "stls" | "tls";
export type Leave = "half" | "reset" | "unread";

export type Plan = {
  readonly way: Way;
  readonly leave: Leave;
  readonly acts: readonly string[];
  /** For "reset": after so many octets of the server. */
  readonly octets: number;
};

export type Doors = { readonly pop3: number; readonly pop3s: number; readonly ca: string };

/** What was said on both sides; of "stls" the clear part is in it too. */
export type Heard = {
  readonly acts: readonly string[];
  readonly said: string;
  /** The server has closed, having said all. */
  readonly isWhole: boolean;
  readonly bindings: Bindings;
};

/** No answer takes so long, but for a chain of refused logins of a second each. */
const MOST_SECONDS = 90;

/** Goes through with a plan on a connection of its own. */
export async function converse(doors: Doors, plan: Plan): Promise<Heard> {
  const { way, leave } = plan;
  await using stack = new AsyncDisposableStack();
  const clear = net.connect({ host: "127.0.0.1", port: way === "tls" ? doors.pop3s : doors.pop3, allowHalfOpen: true });
  stack.defer(() => void clear.destroy());
  const ended = Promise.withResolvers<"ended" | "failed">();
  clear.on("error", () => ended.resolve("failed")).on("close", () => ended.resolve("ended"));
  await within("a connection", MOST_SECONDS, once(clear, "connect"));
  const opening = way === "stls" ? await beginTls(clear) : "";
  const socket = way === "clear" ? clear : await secure(clear, doors.ca);
  const bindings = bindingsOf(socket);
  socket.on("error", () => ended.resolve("failed")).on("end", () => ended.resolve("ended"));

  const pieces: Buffer[] = [];
  let octets = 0;
  const enough = Promise.withResolvers<"left">();
  if (leave !== "unread")
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      octets += piece.length;
      if (leave === "reset" && octets >= plan.octets) enough.resolve("left");
    });
  // All at once: whoever waits for answers is the rule, and is tried by every other test.
  for (const act of plan.acts) socket.write(act, "latin1");
  if (leave === "unread") socket.write("", () => enough.resolve("left"));
  else if (leave === "reset" && plan.octets === 0) enough.resolve("left");
  else socket.end();
  const end = await within("the server's end", MOST_SECONDS, Promise.race([ended.promise, enough.promise]));
  if (end === "left") clear.resetAndDestroy();
  const said = opening + Buffer.concat(pieces).toString("latin1");
  const acts = way === "stls" ? ["STLS\r\n", ...plan.acts] : plan.acts;
  return { acts, said, isWhole: end === "ended" && leave === "half", bindings };
}

// Reads the greeting and the answer to STLS.
async function beginTls(socket: net.Socket): Promise<string> {
  let said = "";
  socket.on("data", (piece: Buffer) => (said += piece.toString("latin1")));
  socket.write("STLS\r\n");
  while (said.split("\r\n").length < 3) await within("the answer to STLS", MOST_SECONDS, once(socket, "data"));
  socket.removeAllListeners("data");
  return said;
}

async function secure(socket: net.Socket, ca: string): Promise<tls.TLSSocket> {
  const secured = tls.connect({ socket, ca, servername: "localhost" });
  secured.allowHalfOpen = true;
  await within("the handshake", MOST_SECONDS, once(secured, "secureConnect"));
  return secured;
}

// RFC 9266, RFC 5929 §4.1.
function bindingsOf(socket: net.Socket): Bindings {
  if (!(socket instanceof tls.TLSSocket)) return new Map();
  const exported = socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
  const digest = createHash("sha256").update(socket.getPeerCertificate().raw).digest();
  return new Map([
    ["tls-exporter", exported.toString("latin1")],
    ["tls-server-end-point", digest.toString("latin1")],
  ]);
}
