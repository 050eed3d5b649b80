import assert from "node:assert/strict";
import { createHash, hash, X509Certificate } from "node:crypto";
import { describe, it, test } from "node:test";
import { TLSSocket, type ConnectionOptions } from "node:tls";
import type { Connection } from "../src/net/connection.ts";
import { selfSignedBy, TestAuthority, type TestCertificate } from "../src/net/testing-authority.ts";
import { Rig } from "../src/net/testing-rig.ts";
import { TestClient } from "../src/net/testing.ts";
import { SecureContextHolder, type CertificateMaterial } from "../src/tls/context.ts";
import { newTicketKeys, rotateTicketKeys } from "../src/tls/ticket-keys.ts";

/*
 * What a connection shows of its TLS, with the contexts that the server really uses: both ways into TLS, both versions,
 * new and resumed sessions.
 */

const timeout = { timeout: 10_000 };
const ticketKeys = newTicketKeys();
const ours = await selfSignedBy({ name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" });
const versions = ["TLSv1.2", "TLSv1.3"] as const;
const ways = ["implicit", "starttls"] as const;
// SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL, which node:crypto does not name.
const NO_EXTENDED_MASTER_SECRET = 1;

function material(certificate: TestCertificate, clientAuthority?: string): CertificateMaterial {
  const authority = clientAuthority === undefined ? {} : { clientAuthority };
  return { ...certificate, minimumVersion: "1.2", ticketKeys, ...authority };
}

type Met = { readonly client: TLSSocket; readonly connection: Connection };

/** A listener with a holder as a protocol thread has it. */
class Server implements AsyncDisposable {
  readonly #rig = new Rig();
  readonly holder: SecureContextHolder;

  constructor(first: CertificateMaterial) {
    this.holder = new SecureContextHolder(first);
  }

  async meet(way: (typeof ways)[number], options: ConnectionOptions = {}): Promise<Met> {
    const { holder } = this;
    const context = { context: () => holder.current(), asksForCertificate: () => holder.asksForCertificate };
    const { address } = await this.#rig.listen({ tls: way, ...context });
    const client = await TestClient.connect(address, way === "implicit" ? options : undefined);
    await client.line();
    const { connection } = this.#rig.last;
    if (way === "starttls") {
      connection.startTls();
      await client.startTls(options);
      await client.line();
    }
    assert.ok(client.socket instanceof TLSSocket);
    return { client: client.socket, connection };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rig[Symbol.asyncDispose]();
  }
}

function exported(client: TLSSocket): Buffer {
  return client.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
}

describe("channel binding", timeout, () => {
  for (const version of versions) {
    for (const way of ways) {
      it(`${version}, ${way}: client and server know the same`, async () => {
        await using server = new Server(material(ours));
        const { client, connection } = await server.meet(way, { maxVersion: version, minVersion: version });
        assert.deepEqual(connection.binding("tls-exporter"), exported(client));
        const shown = client.getPeerX509Certificate();
        assert.ok(shown);
        assert.deepEqual(connection.binding("tls-server-end-point"), hash("sha256", shown.raw, "buffer"));
      });
    }

    it(`${version}: a resumed session has an exporter of its own and the same end point`, async () => {
      await using server = new Server(material(ours));
      const first = await server.meet("implicit", { maxVersion: version });
      const before = exported(first.client);
      const session = first.client.getSession();
      assert.ok(session);
      const { client, connection } = await server.meet("implicit", { maxVersion: version, session });
      assert.ok(client.isSessionReused());
      assert.deepEqual(connection.binding("tls-exporter"), exported(client));
      assert.notDeepEqual(exported(client), before);
      assert.equal(connection.binding("tls-server-end-point")?.length, 32);
    });
  }

  it("RFC 9266 §4.2: TLS 1.2 without extended master secret has no exporter binding", async () => {
    await using server = new Server(material(ours));
    const old = { maxVersion: "TLSv1.2", secureOptions: NO_EXTENDED_MASTER_SECRET } as const;
    const { client, connection } = await server.meet("implicit", old);
    assert.equal(connection.binding("tls-exporter"), undefined);
    assert.equal(connection.binding("tls-server-end-point")?.length, 32);
    const session = client.getSession();
    assert.ok(session);
    const resumed = await server.meet("implicit", { ...old, session });
    assert.ok(resumed.client.isSessionReused());
    assert.equal(resumed.connection.binding("tls-exporter"), undefined);
  });

  it("the end point is the certificate that was shown, though another is served by now", async () => {
    await using server = new Server(material(ours));
    const { connection } = await server.meet("implicit");
    server.holder.replace(material(await selfSignedBy({ name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" })));
    const raw = new X509Certificate(ours.certificatePem).raw;
    assert.deepEqual(connection.binding("tls-server-end-point"), hash("sha256", raw, "buffer"));
  });

  it("a session is not resumed under another certificate: its client still knows the old one", async () => {
    await using server = new Server(material(ours));
    const { client } = await server.meet("implicit", { maxVersion: "TLSv1.2" });
    const session = client.getSession();
    assert.ok(session);
    server.holder.replace(material(await selfSignedBy({ name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" })));
    const { client: next } = await server.meet("implicit", { maxVersion: "TLSv1.2", session });
    assert.equal(next.isSessionReused(), false);
  });

  it("clear text has none", async () => {
    await using rig = new Rig();
    const listener = await rig.listen();
    using client = await TestClient.connect(listener.address);
    await client.line();
    assert.equal(rig.last.connection.binding("tls-exporter"), undefined);
    assert.equal(rig.last.connection.binding("tls-server-end-point"), undefined);
  });

  const rsa = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const signatures = [
    ["ECDSA with SHA-384", { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" }, "sha384"],
    ["RSA with SHA-1", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-1", ...rsa }, "sha256"],
    ["RSA with SHA-512", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512", ...rsa }, "sha512"],
    ["RSASSA-PSS with SHA-384", { name: "RSA-PSS", hash: "SHA-384", saltLength: 48, ...rsa }, "sha384"],
    ["Ed25519, which has no hash", { name: "Ed25519" }, undefined],
  ] as const;
  for (const [what, algorithm, expected] of signatures) {
    it(`RFC 5929 §4.1: ${what}: ${expected ?? "none"}`, async () => {
      const certificate = await selfSignedBy(algorithm);
      await using server = new Server(material(certificate));
      // What is looked at is how the certificate is signed, be its signature good or not for a client of today.
      const { connection } = await server.meet("implicit", { ciphers: "DEFAULT@SECLEVEL=0" });
      const { raw } = new X509Certificate(certificate.certificatePem);
      const wanted = expected === undefined ? undefined : createHash(expected).update(raw).digest();
      assert.deepEqual(connection.binding("tls-server-end-point"), wanted);
    });
  }
});

describe("client certificates", timeout, async () => {
  const authority = await TestAuthority.create();
  const stranger = await TestAuthority.create();
  const tim = await authority.issue({
    name: "Tim",
    alternatives: [
      { type: "email", value: "tim@example.test" },
      { type: "dns", value: "example.test" },
      { type: "email", value: "tim@example.org" },
    ],
    purpose: "1.3.6.1.5.5.7.3.2",
  });
  const named = { emails: ["tim@example.test", "tim@example.org"], commonName: "Tim" };
  const as = ({ certificatePem, keyPem }: TestCertificate): ConnectionOptions => ({
    cert: certificatePem,
    key: keyPem,
  });

  for (const version of versions) {
    for (const way of ways) {
      it(`${version}, ${way}: what it names, also when the session is resumed`, async () => {
        await using server = new Server(material(ours, authority.certificatePem));
        const options = { ...as(tim), minVersion: version, maxVersion: version };
        const { client, connection } = await server.meet(way, options);
        assert.deepEqual(connection.tls?.certificate, named);
        const session = client.getSession();
        assert.ok(session);
        const again = await server.meet(way, { ...options, session });
        assert.ok(again.client.isSessionReused());
        assert.deepEqual(again.connection.tls?.certificate, named);
      });
    }

    it(`${version}: under another authority no session is resumed, and its certificate is none`, async () => {
      await using server = new Server(material(ours, authority.certificatePem));
      const options = { ...as(tim), maxVersion: version };
      const { client } = await server.meet("implicit", options);
      const session = client.getSession();
      assert.ok(session);
      server.holder.replace(material(ours, stranger.certificatePem));
      const next = await server.meet("implicit", { ...options, session });
      assert.equal(next.client.isSessionReused(), false);
      assert.equal(next.connection.tls?.certificate, undefined);
    });
  }

  const unusable: readonly (readonly [string, () => Promise<ConnectionOptions>])[] = [
    ["none", async () => ({})],
    ["one of another authority with the same name", async () => as(await stranger.issue({ name: "Tim" }))],
    ["one that signs itself", async () => as(ours)],
    ["one that has run out", async () => as(await authority.issue({ name: "Tim", validMs: -60_000 }))],
    ["a server's", async () => as(await authority.issue({ name: "Tim", purpose: "1.3.6.1.5.5.7.3.1" }))],
  ];
  for (const [what, options] of unusable) {
    for (const version of versions) {
      it(`${what} is no certificate in ${version}, and the connection goes on`, async () => {
        await using server = new Server(material(ours, authority.certificatePem));
        const { connection } = await server.meet("implicit", { ...(await options()), maxVersion: version });
        assert.equal(connection.tls?.version, version);
        assert.equal(connection.tls.certificate, undefined);
      });
    }
  }

  it("none is asked for where there is no authority", async () => {
    await using server = new Server(material(ours));
    const { connection } = await server.meet("implicit", as(tim));
    assert.equal(connection.tls?.certificate, undefined);
  });

  it("names that only look like several are one, and what is no mailbox is none", async () => {
    const tricky = await authority.issue({
      name: "a, CN=b",
      alternatives: [
        { type: "dns", value: "x, email:root@example.test" },
        { type: "email", value: "a@example.test, email:root@example.test" },
      ],
    });
    await using server = new Server(material(ours, authority.certificatePem));
    const { connection } = await server.meet("implicit", as(tricky));
    assert.deepEqual(connection.tls?.certificate, { emails: [], commonName: "a, CN=b" });
  });
});

test("a ticket of the key before the newest is still good, one of the key before that is not", timeout, async () => {
  for (const version of versions) {
    await using server = new Server(material(ours));
    const first = await server.meet("implicit", { maxVersion: version });
    const session = first.client.getSession();
    const next = rotateTicketKeys(ticketKeys);
    server.holder.replace({ ...material(ours), ticketKeys: next });
    const second = await server.meet("implicit", { maxVersion: version, session });
    assert.equal(second.client.isSessionReused(), true, version);
    server.holder.replace({ ...material(ours), ticketKeys: rotateTicketKeys(next) });
    const third = await server.meet("implicit", { maxVersion: version, session });
    assert.equal(third.client.isSessionReused(), false, version);
  }
});

test("RFC 8446 §C.4: each resumed session gets a new ticket, so that none need be used twice", timeout, async () => {
  await using server = new Server(material(ours));
  let { client } = await server.meet("implicit", { minVersion: "TLSv1.3" });
  for (let time = 0; time < 5; time += 1) {
    const session = client.getSession();
    ({ client } = await server.meet("implicit", { minVersion: "TLSv1.3", session }));
    assert.ok(client.isSessionReused());
    const fresh = client.getSession();
    assert.ok(fresh && session && !fresh.equals(session), "a new ticket came");
  }
});
