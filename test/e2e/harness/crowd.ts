import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { mustRun } from "./process.ts";
import { until } from "./wait.ts";

const atOnce = 200;

/** Lets this process, and what it starts, have this many descriptors open. */
export async function raiseDescriptorLimit(count: number): Promise<void> {
  const [, soft = "0"] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  if (Number(soft) < count) await mustRun("prlimit", ["--pid", String(process.pid), `--nofile=${count}:${count}`]);
}

/** Connections that are open and say nothing. */
export class SilentCrowd implements Disposable {
  readonly #sockets = new Set<net.Socket>();

  get open(): number {
    return this.#sockets.size;
  }

  /** Opens connections to a port from many addresses of this machine; those that greet must have greeted. */
  async join(port: number, count: number, greets: boolean): Promise<void> {
    for (let opened = 0; opened < count; opened += atOnce) {
      const batch = Array.from({ length: Math.min(atOnce, count - opened) }, (_, index) =>
        this.#add(port, index, greets),
      );
      await Promise.all(batch);
    }
  }

  /** Waits until the server has closed this many at least. */
  async shrinkTo(count: number, seconds: number): Promise<void> {
    await until(`${this.open} silent connections to become ${count}`, seconds, () => this.open <= count);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #add(port: number, index: number, greets: boolean): Promise<void> {
    const localAddress = `127.0.${1 + (index % 4)}.${1 + (index % 50)}`;
    const socket = net.connect({ port, host: "127.0.0.1", localAddress });
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    await once(socket, greets ? "data" : "connect");
    // From here on only the server's end of it counts.
    socket.on("error", () => undefined).resume();
  }
}
