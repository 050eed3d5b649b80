import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { decideAddresses, whyNot } from "./bind.ts";
import { portOwner } from "./port-owner.ts";

async function taken(t: TestContext): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return { server, port: address.port };
}

function tcp(port: number) {
  return [{ kind: "tcp", host: "127.0.0.1", port }] as const;
}

describe("decideAddresses", () => {
  it("gives a port 0 its number and keeps HTTP apart", async () => {
    const proxies = [{ network: [10, 0, 0, 0], bits: 8 }];
    const decided = await decideAddresses(
      [
        { protocol: "pop3", tls: "starttls", address: [...tcp(0)], proxyProtocolFrom: proxies },
        { protocol: "http", tls: "none", address: [...tcp(0)], proxyProtocolFrom: [] },
        { protocol: "lmtp", tls: "none", address: [{ kind: "unix", path: "/run/x.sock" }], proxyProtocolFrom: [] },
      ],
      "en",
    );
    assert(decided.ok);
    const [pop3, lmtp] = decided.value.threads;
    assert(pop3 !== undefined && "port" in pop3.address && pop3.address.port > 0);
    assert.deepEqual(pop3.proxyFrom, proxies);
    assert.deepEqual(lmtp, { protocol: "lmtp", tls: "none", address: { path: "/run/x.sock" }, proxyFrom: [] });
    assert.equal(decided.value.http.length, 1);
  });

  it("says which listener cannot have its port and who has it", async (t) => {
    const { port } = await taken(t);
    const decided = await decideAddresses(
      [{ protocol: "pop3", tls: "starttls", address: [...tcp(port)], proxyProtocolFrom: [] }],
      "en",
    );
    assert(!decided.ok);
    assert.match(
      decided.error,
      new RegExp(`^pop3 cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use by .+\\(pid \\d+\\)`),
    );
  });

  it("has a word for an address of another machine", async () => {
    const elsewhere = [{ kind: "tcp", host: "192.0.2.1", port: 4110 }] as const;
    const decided = await decideAddresses(
      [{ protocol: "pop3", tls: "starttls", address: [...elsewhere], proxyProtocolFrom: [] }],
      "en",
    );
    assert.deepEqual(decided, {
      ok: false,
      error: "pop3 cannot listen on 192.0.2.1:4110: this machine has no such address.",
    });
  });
});

describe("whyNot", () => {
  it("explains ports that need a privilege", async () => {
    assert.match(await whyNot(Object.assign(new Error("x"), { code: "EACCES" }), 110, "en"), /CAP_NET_BIND_SERVICE/);
  });
});

describe("portOwner", () => {
  it("finds this process by its port", async (t) => {
    const { port } = await taken(t);
    assert.match((await portOwner(port)) ?? "", new RegExp(`\\(pid ${process.pid}\\)$`));
  });

  it("has no answer for a port that nobody listens on", async (t) => {
    const { server, port } = await taken(t);
    server.close();
    await once(server, "close");
    assert.equal(await portOwner(port), undefined);
  });
});
