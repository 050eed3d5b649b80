import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { ConnectionOptions } from "node:tls";
import type { Cidr } from "../../model/cidr.ts";
import { Crowd } from "../../net/crowd.ts";
import { listen, type TlsMode } from "../../net/listener.ts";
import { TestClient, testContext } from "../../net/testing.ts";
import { recordingLog, testMetrics } from "../../observe/testing.ts";
import type { Pop3Options } from "../options.ts";
import { pop3Handler, POP3_BUSY_LINE } from "../server.ts";
import type { MechanismPolicy } from "../../auth/engine/channel.ts";
import type { Announced } from "../ports.ts";
import { MemoryPorts } from "./memory-ports.ts";
import { newAnnounced } from "./world.ts";

const secureContext = await testContext();

type RigOptions = {
  readonly tls?: TlsMode;
  readonly options?: Partial<Pop3Options>;
  readonly mechanisms?: Partial<MechanismPolicy>;
  /** Networks of proxies that name their client. */
  readonly proxyFrom?: readonly Cidr[];
};

/** POP3 on a free port over a maildrop in memory, with the clock in the test's hand. */
export async function rig(
  context: TestContext,
  { tls = "none", options = {}, mechanisms = {}, proxyFrom = [] }: RigOptions = {},
) {
  const memory = new MemoryPorts();
  memory.announced = announcedWith({ allowCleartext: tls === "none", ...mechanisms });
  const { log, events } = recordingLog();
  const { metrics, sample } = testMetrics();
  let now = 0;
  const crowd = new Crowd({ connections: 100, clock: { now: () => now, monotonic: () => now } });
  const pop3: Pop3Options = {
    hostname: "pop.example.com",
    implementation: "Mailkeep",
    idleSeconds: 600,
    writeStallSeconds: 60,
    stlsPossible: tls === "starttls",
    ...options,
  };
  const listener = await listen({
    protocol: "pop3",
    address: { host: "127.0.0.1", port: 0 },
    tls,
    context: () => secureContext,
    proxyFrom,
    busyLine: POP3_BUSY_LINE,
    accept: pop3Handler(pop3, memory.ports, log, metrics),
    crowd,
    metrics,
    log,
  });
  const clients: TestClient[] = [];
  context.after(async () => {
    for (const client of clients) client[Symbol.dispose]();
    await listener[Symbol.asyncDispose]();
    crowd[Symbol.dispose]();
  });
  const connect = async (how: { readonly tls?: ConnectionOptions; readonly header?: Uint8Array } = {}) => {
    const client = await TestClient.connect(listener.address, tls === "implicit" ? (how.tls ?? {}) : undefined);
    clients.push(client);
    if (how.header !== undefined) client.socket.write(how.header);
    assert.equal(await client.line(), "+OK pop.example.com POP3 ready");
    return client;
  };
  const login = async (): Promise<TestClient> => {
    const client = await connect();
    client.send("USER tim\r\nPASS tanstaaf\r\n");
    assert.equal(await client.line(), "+OK send the password");
    assert.match(await client.line(), /^\+OK \d+ messages/);
    return client;
  };
  const sessionEnds = (): unknown[] =>
    events.filter(({ event }) => event === "pop3.session").map(({ fields }) => (fields as { end: string }).end);
  const sweepAt = (seconds: number): void => {
    now = seconds * 1000;
    crowd.sweep();
  };
  return { memory, listener, connect, login, sweepAt, sample, events, sessionEnds };
}

function announcedWith(mechanisms: Partial<MechanismPolicy>): Announced {
  const announced = newAnnounced();
  return { ...announced, mechanisms: { ...announced.mechanisms, ...mechanisms } };
}
