import { parentPort, workerData } from "node:worker_threads";
import { languageOf } from "../config/language.ts";
import { assert } from "../lib/assert.ts";
import { systemClock } from "../lib/clock.ts";
import { addressText, listen, type Listener } from "../net/listener.ts";
import type { ProtocolName } from "../net/protocol.ts";
import { workerObserve } from "../observe/worker.ts";
import { createStoreClient } from "../store/thread/client.ts";
import { SecureContextHolder } from "../tls/context.ts";
import { whyNot } from "./bind.ts";
import { buildProtocols } from "./build.ts";
import { listenSentence } from "./refusals.ts";
import type { FromThread, ThreadSetup, ToThread } from "./thread-messages.ts";

/*
 * A protocol thread: its own event loop, its own listeners on ports that all protocol threads share, its own read
 * connection. It ends when it is told to, and the whole process ends with the store thread.
 */

const LOGIN_PROTOCOLS: ReadonlySet<ProtocolName> = new Set(["pop3", "submission"]);

const setup = workerData as ThreadSetup;
assert(parentPort, "a protocol thread is a worker");
const main = parentPort;

function say(message: FromThread): void {
  main.postMessage(message);
}

await using parts = new AsyncDisposableStack();
const { log, metrics } = parts.use(workerObserve(setup.observe));
const certificate = new SecureContextHolder(setup.certificate);
const store = parts.use(
  createStoreClient({
    connection: setup.store,
    // The main thread hears of it too, and ends the process.
    onLost: (reason) => log.error("thread.died", { thread: "store", reason }),
  }),
);
const protocols = parts.use(await buildProtocols({ ...setup, store, log, metrics, clock: systemClock }));

const { promise: stopped, resolve: stop } = Promise.withResolvers<number>();
main.on("message", (message: ToThread) => {
  if (message.kind === "config") protocols.reload(message.config);
  else if (message.kind === "certificate") certificate.replace(message.certificate);
  else stop(message.seconds);
});

const listeners = await bindAll();
if (listeners !== undefined) {
  say({ kind: "bound" });
  const seconds = await stopped;
  const sessionsCut = await drain(listeners, seconds);
  protocols.stop();
  say({ kind: "stopped", sessionsCut });
}
main.close();

async function bindAll(): Promise<readonly Listener[] | undefined> {
  const bound: Listener[] = [];
  for (const { protocol, tls, address, proxyFrom } of setup.listeners) {
    try {
      const { accept, busyLine } = protocols.doors[protocol];
      const listener = await listen({
        protocol,
        address,
        tls,
        reusePort: !("path" in address),
        context: () => certificate.current(),
        // Servers that hand mail over are asked for nothing: some of them give up when they are.
        asksForCertificate: () => certificate.asksForCertificate && LOGIN_PROTOCOLS.has(protocol),
        proxyFrom,
        busyLine,
        accept: (connection) => accept(connection, tls),
        crowd: protocols.crowd,
        metrics,
        log,
        handshakeSeconds: setup.config.limits.tlsHandshakeSeconds,
      });
      bound.push(parts.use(listener));
    } catch (cause) {
      const language = languageOf(process.env);
      const why = await whyNot(cause as Error, "port" in address ? address.port : 0, language);
      say({ kind: "failed", reason: listenSentence(protocol, addressText(address), why, language) });
      return undefined;
    }
  }
  return bound;
}

/** Lets sessions finish, for so many seconds at most; gives how many had to be cut. */
async function drain(open: readonly Listener[], seconds: number): Promise<number> {
  for (const listener of open) listener.shutdown();
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, seconds * 1000);
  await Promise.race([Promise.all(open.map((listener) => listener.idle())), late]);
  clearTimeout(timer);
  return open.reduce((sum, listener) => sum + listener.connections, 0);
}
