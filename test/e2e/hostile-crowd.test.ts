import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { install } from "./harness/installation.ts";
import { serve, type Server } from "./harness/server.ts";
import { until } from "./harness/wait.ts";
import { Wire } from "./harness/wire.ts";

/*
 * Issue 4, "Abuse control": connections of one network and new ones in a minute, counted exactly over all threads; the
 * network is the one that a proxy names.
 */
const most = 20;
const perMinute = 100;

/** A client behind a proxy on this machine, and the first thing that it hears. */
async function arrive({ ports }: Server, address: string): Promise<{ readonly wire: Wire; readonly served: boolean }> {
  const wire = await Wire.open(ports.pop3);
  await wire.send(`PROXY TCP4 ${address} 198.51.100.1 40000 110\r\n`);
  const first = await wire.line();
  if (!first.startsWith("+OK")) assert.match(first, /^-ERR \[SYS\/TEMP\] /);
  return { wire, served: first.startsWith("+OK") };
}

async function crowd(server: Server, address: string, count: number): Promise<readonly Wire[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => arrive(server, address)));
  for (const { wire, served } of clients) if (!served) wire.close();
  return clients.filter(({ served }) => served).map(({ wire }) => wire);
}

test("limits by network hold over all threads", { timeout: 60_000 }, async (t) => {
  await using stack = new AsyncDisposableStack();
  const limits = { connections_per_network: most, connection_rate_per_network: perMinute };
  const installation = await install(stack, { users: [], config: { server: { threads: 3 }, limits } });
  const config = JSON.parse(installation.text) as { listeners: Record<string, unknown>[] };
  for (const listener of config.listeners.slice(0, 1)) listener["proxy_protocol_from"] = ["127.0.0.0/8"];
  writeFileSync(installation.configFile, JSON.stringify(config));
  const server = await serve(stack, installation);

  await t.test("so many are served, their neighbours too, and others when they are gone", async () => {
    const served = await crowd(server, "192.0.2.1", 3 * most);
    assert.equal(served.length, most);
    const neighbours = await crowd(server, "192.0.2.2", most);
    assert.equal(neighbours.length, most);
    for (const wire of [...served, ...neighbours]) wire.close();
    const next = await until("a place to be free", 10, async () => (await crowd(server, "192.0.2.1", 1))[0]);
    next.close();
    const [refused] = server.events("connection.refused");
    assert.deepEqual([refused?.["reason"], refused?.["peer"]], ["connections", "192.0.2.1"]);
  });

  await t.test("so many new ones within a minute", async () => {
    let served = 0;
    for (let time = 0; time < 4 * perMinute; time += 1) {
      const { wire, served: one } = await arrive(server, "192.0.2.3");
      if (one) {
        served += 1;
        await wire.send("QUIT\r\n");
        await wire.closed();
      }
      wire.close();
    }
    // The minute may change in between: what the last one had fades.
    assert.ok(served >= perMinute && served < 2 * perMinute, `${served} were served`);
    const [other] = await crowd(server, "192.0.2.4", 1);
    assert.ok(other);
    other.close();
  });
});
