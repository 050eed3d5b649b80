import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { ConnectionOptions, TLSSocket as Client } from "node:tls";
import { TLSSocket, connect } from "node:tls";
import { SecureContextHolder } from "./context.ts";
import { newTicketKeys } from "./ticket-keys.ts";
import { makeSelfSigned } from "./self-signed.ts";

const request = { hostname: "mail.example.test", names: [], days: 90, now: Date.now() };
const ticketKeys = newTicketKeys();
const old = { ...(await makeSelfSigned(request)), minimumVersion: "1.2", ticketKeys } as const;
const young = { ...(await makeSelfSigned(request)), minimumVersion: "1.2", ticketKeys } as const;

/** A server as a protocol thread is one: it wraps each socket with its holder's current context, and sends back what comes. */
async function start(t: TestContext, holder: SecureContextHolder): Promise<Server> {
  const sockets = new Set<TLSSocket>();
  const server = createServer((socket) => {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: holder.current(),
      ALPNProtocols: ["pop3"],
    });
    sockets.add(secure);
    secure.on("error", () => secure.destroy());
    secure.pipe(secure);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server;
}

async function open(server: Server, options: ConnectionOptions = {}): Promise<Client> {
  const { port } = server.address() as AddressInfo;
  const ca = [old.certificatePem, young.certificatePem];
  const client = connect({ port, host: "127.0.0.1", servername: "mail.example.test", ca, ...options });
  await once(client, "secureConnect");
  client.on("error", () => {
    // A test that expects one waits for it; the others have seen what they came for.
  });
  return client;
}

async function echo(client: Client, text: string): Promise<string> {
  client.write(text);
  const [piece] = (await once(client, "data")) as [Buffer];
  return piece.toString();
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a ${version} session made on one thread is resumed on another`, async (t) => {
    const one = await start(t, new SecureContextHolder(old));
    const other = await start(t, new SecureContextHolder(old));
    const first = await open(one, { maxVersion: version });
    // TLS 1.3 sends its tickets behind the handshake.
    await echo(first, "a");
    const session = first.getSession();
    assert.ok(session);
    first.destroy();
    const second = await open(other, { maxVersion: version, session });
    assert.equal(second.getProtocol(), version);
    assert.equal(second.isSessionReused(), true);
    second.destroy();
  });
}

test("a new certificate serves new connections; the session that is open goes on", async (t) => {
  const holder = new SecureContextHolder(old);
  const server = await start(t, holder);
  const before = await open(server);
  holder.replace(young);
  const after = await open(server);
  assert.notEqual(after.getPeerX509Certificate()?.fingerprint256, before.getPeerX509Certificate()?.fingerprint256);
  assert.equal(await echo(before, "still here"), "still here");
  before.destroy();
  after.destroy();
});

test("material that is no good is refused and the old context stays", () => {
  const holder = new SecureContextHolder(old);
  const current = holder.current();
  assert.throws(() => holder.replace({ ...old, keyPem: young.keyPem }), /key values mismatch/);
  assert.equal(holder.current(), current);
});

test("the server's order of ciphers counts, and its group is X25519 or P-256", async (t) => {
  const server = await start(t, new SecureContextHolder(old));
  const ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256";
  const client = await open(server, { maxVersion: "TLSv1.2", ciphers, ecdhCurve: "P-384:P-256" });
  assert.equal(client.getCipher().name, "ECDHE-ECDSA-AES128-GCM-SHA256");
  client.destroy();
});

const refused: readonly [string, ConnectionOptions][] = [
  ["TLS 1.1", { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }],
  ["a cipher without forward secrecy", { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256" }],
  ["a cipher in CBC mode", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256" }],
  ["a client that wants HTTP (TLS-06)", { ALPNProtocols: ["http/1.1"] }],
];
for (const [what, options] of refused) {
  test(`refused: ${what}`, async (t) => {
    const server = await start(t, new SecureContextHolder(old));
    await assert.rejects(open(server, options), /alert|handshake|no application protocol/i);
  });
}

test("TLS-06: a client that asks for pop3 by ALPN gets it", async (t) => {
  const client = await open(await start(t, new SecureContextHolder(old)), { ALPNProtocols: ["imap", "pop3"] });
  assert.equal(client.alpnProtocol, "pop3");
  client.destroy();
});

test("a minimum of 1.3 refuses 1.2", async (t) => {
  const server = await start(t, new SecureContextHolder({ ...old, minimumVersion: "1.3" }));
  await assert.rejects(open(server, { maxVersion: "TLSv1.2" }), /protocol version/);
});

test("a client that renegotiates is turned down", async (t) => {
  const client = await open(await start(t, new SecureContextHolder(old)), { maxVersion: "TLSv1.2" });
  const failed = once(client, "error") as Promise<[Error]>;
  client.renegotiate({}, () => undefined);
  assert.match(String(await failed), /no renegotiation/);
});
