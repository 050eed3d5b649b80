import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { within } from "./wait.ts";

/** What is pushed: `opening` first, each part after an answer came; then `piece` again and again. */
export type Flood = {
  readonly port: number;
  readonly ca?: string;
  readonly opening?: readonly string[];
  readonly piece: Buffer;
};

/** What came of it: octets that were taken, and what was answered since the opening (its beginning). */
export type Flooded = { readonly taken: number; readonly answer: string; readonly closed: boolean };

const waitSeconds = 120;

/** Pushes octets until so many are taken or the server has closed; never waits without end. */
export async function flood({ port, ca, opening = [], piece }: Flood, octets: number): Promise<Flooded> {
  const where = { host: "127.0.0.1", port };
  const socket = ca === undefined ? net.connect(where) : tls.connect({ ...where, ca, servername: "localhost" });
  let answer = "";
  socket.on("data", (data: Buffer) => (answer = (answer + data.toString("latin1")).slice(0, 2000)));
  socket.on("error", () => undefined);
  const { promise: gone, resolve: isGone } = Promise.withResolvers<unknown>();
  socket.once("close", isGone);
  await within("a connection", waitSeconds, once(socket, ca === undefined ? "connect" : "secureConnect"));
  for (const line of opening) {
    const { promise: answered, resolve } = Promise.withResolvers<unknown>();
    socket.once("data", resolve);
    socket.write(line);
    await within(`an answer to ${line}`, waitSeconds, Promise.race([answered, gone]));
  }
  answer = "";
  let taken = 0;
  const write = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.write(piece, () => resolve());
    return promise;
  };
  while (taken < octets && !socket.destroyed) {
    await within(`port ${port} to take octets or to close`, waitSeconds, Promise.race([write(), gone]));
    taken += piece.length;
  }
  const closed = socket.destroyed;
  socket.destroy();
  return { taken, answer, closed };
}
