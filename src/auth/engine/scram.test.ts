import assert from "node:assert/strict";
import { createHmac, hash as digest, pbkdf2Sync } from "node:crypto";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { encodeBase64 } from "./base64.ts";
import { type Channel, CLEAR_CHANNEL, type MechanismPolicy } from "./channel.ts";
import type { ScramHash } from "./credentials.ts";
import type { Exchange, Step } from "./mechanism.ts";
import { beginExchange, findMechanism } from "./mechanisms.ts";

const EXPORTED = Buffer.from("thirty-two octets of this TLS.....", "latin1");
const END_POINT = Buffer.from("the hash of the server's certificate", "latin1");
const policy: MechanismPolicy = {
  allowCleartext: false,
  scram: true,
  scramSha1: true,
  oauth: false,
  clientCertificates: false,
};
const bound: Channel = {
  ...CLEAR_CHANNEL,
  secure: true,
  binding: (type) => (type === "tls-exporter" ? EXPORTED : END_POINT),
};
const unbound: Channel = { ...CLEAR_CHANNEL, secure: true };

const octets = (text: string): Uint8Array => Buffer.from(text, "utf8");

function begun(name: string, first: string | Uint8Array, channel: Channel = unbound) {
  const mechanism = findMechanism(name);
  assert.ok(mechanism, name);
  return beginExchange(mechanism, typeof first === "string" ? octets(first) : first, policy, channel);
}

function said(step: Step | undefined): unknown {
  assert.ok(step);
  if (step.kind === "challenge") return Buffer.from(step.octets).toString("utf8");
  if (step.kind === "question") return step.question.user;
  return step.kind === "failed" ? step.reason : step.credentials;
}

const facts = { salt: Buffer.from("salt of 16 octet"), iterations: 4096, nonce: "server" };

/** A client of its own making, as the RFC tells clients what to do. */
function clientFinal(
  hash: ScramHash,
  password: string,
  bare: string,
  serverFirst: string,
  withoutProof: string,
): { readonly text: string; readonly signature: string } {
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest();
  const [, salt = "", rounds = ""] = /,s=([^,]+),i=(\d+)/.exec(serverFirst) ?? [];
  const length = hash === "sha1" ? 20 : 32;
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(rounds), length, hash);
  const message = `${bare},${serverFirst},${withoutProof}`;
  const clientKey = hmac(salted, "Client Key");
  const signature = hmac(digest(hash, clientKey, "buffer"), message);
  const proof = clientKey.map((octet, index) => octet ^ (signature[index] ?? 0));
  return {
    text: `${withoutProof},p=${encodeBase64(proof)}`,
    signature: encodeBase64(hmac(hmac(salted, "Server Key"), message)),
  };
}

describe("the RFCs' examples, octet by octet", () => {
  const examples = [
    {
      name: "SCRAM-SHA-1",
      hash: "sha1",
      first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
      serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
      salt: "QSXCR+Q6sek8bf92",
      nonce: "3rfcNHYJY1ZVvWVs7j",
      final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
      last: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    },
    {
      name: "SCRAM-SHA-256",
      hash: "sha256",
      first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
      serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
      nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
      final:
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      last: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    },
  ] as const;
  for (const { name, hash, first, serverFirst, salt, nonce, final, last } of examples) {
    test(`SCRAM-01 ${name}`, () => {
      const { exchange, step } = begun(name, first);
      assert.deepEqual(step, { kind: "question", question: { kind: "scram", user: "user", hash } });
      const asked = exchange.answered?.({ salt: Buffer.from(salt, "base64"), iterations: 4096, nonce });
      assert.equal(said(asked), serverFirst);
      const done = exchange.step(octets(final));
      assert.ok(done.kind === "credentials" && done.credentials.kind === "scram");
      const { credentials } = done;
      assert.equal(credentials.mechanism, name);
      assert.equal(credentials.hash, hash);
      assert.equal(`p=${encodeBase64(credentials.proof)}`, final.slice(final.indexOf(",p=") + 1));
      const withoutProof = final.slice(0, final.indexOf(",p="));
      const message = `${first.slice(3)},${serverFirst},${withoutProof}`;
      assert.equal(Buffer.from(credentials.message).toString(), message);

      const expected = clientFinal(hash, "pencil", first.slice(3), serverFirst, withoutProof);
      assert.equal(expected.text, final, "this test's client says what the RFC's says");
      assert.equal(`v=${expected.signature}`, last);
      const verdict = { ok: true, serverSignature: Buffer.from(expected.signature, "base64") } as const;
      const told = exchange.concluded?.(verdict);
      assert.equal(told && Buffer.from(told).toString(), last);
      assert.equal(exchange.concluded?.({ ok: false }), undefined);
    });
  }
});

describe("channel binding", () => {
  test("SCRAM-01 a client that thinks binding is not offered, where it is, met somebody on the way", () => {
    assert.equal(said(begun("SCRAM-SHA-256", "y,,n=user,r=abc", bound).step), "refused");
    assert.equal(said(begun("SCRAM-SHA-256", "y,,n=user,r=abc", unbound).step), "user");
    assert.equal(said(begun("SCRAM-SHA-256", "n,,n=user,r=abc", bound).step), "user");
  });

  test("a binding is asked for where the mechanism has one, and nowhere else", () => {
    for (const first of ["n,,n=user,r=abc", "y,,n=user,r=abc"])
      assert.equal(said(begun("SCRAM-SHA-256-PLUS", first, bound).step), "refused");
    assert.equal(said(begun("SCRAM-SHA-256", "p=tls-exporter,,n=user,r=abc", bound).step), "refused");
  });

  test("SCRAM-02 only types that the connection has", () => {
    for (const type of ["tls-unique", "tls-server-end-points", "TLS-EXPORTER"])
      assert.equal(said(begun("SCRAM-SHA-256-PLUS", `p=${type},,n=user,r=abc`, bound).step), "refused", type);
    const only: Channel = { ...bound, binding: (type) => (type === "tls-exporter" ? undefined : END_POINT) };
    assert.equal(said(begun("SCRAM-SHA-1-PLUS", "p=tls-exporter,,n=user,r=abc", only).step), "refused");
    assert.equal(said(begun("SCRAM-SHA-1-PLUS", "p=tls-server-end-point,,n=user,r=abc", only).step), "user");
  });

  for (const [type, data] of [
    ["tls-exporter", EXPORTED],
    ["tls-server-end-point", END_POINT],
  ] as const) {
    test(`SCRAM-02 ${type}: what was bound elsewhere is refused`, () => {
      const header = `p=${type},,`;
      const final = (binding: Uint8Array | string): unknown => {
        const { exchange } = begun("SCRAM-SHA-256-PLUS", `${header}n=user,r=abc`, bound);
        exchange.answered?.(facts);
        const input = encodeBase64(Buffer.concat([octets(header), Buffer.from(binding)]));
        const step = exchange.step(octets(`c=${input},r=abcserver,p=${encodeBase64(new Uint8Array(32))}`));
        return step.kind === "credentials" ? step.credentials.mechanism : said(step);
      };
      assert.equal(final(data), "SCRAM-SHA-256-PLUS");
      assert.equal(final(""), "refused");
      assert.equal(final(Buffer.concat([data, Buffer.of(0)])), "refused");
      assert.equal(final("another connection's"), "refused");
    });
  }
});

test("SCRAM-01 the client's first message", () => {
  const cases: readonly (readonly [string | Uint8Array, unknown])[] = [
    ["n,,n=user,r=abc", "user"],
    ["n,a=user,n=user,r=abc", "user"],
    ["n,,n=a=2Cb=3Dc,r=abc", "a,b=c"],
    ["n,a=a=2Cb,n=a=2Cb,r=abc", "a,b"],
    ["n,,n=王芳,r=abc", "王芳"],
    ["n,,n= u ,r=abc", " u "],
    ["n,,n=user,r=abc,x=what,Y=ever", "user"],
    [`n,,n=${"=2C".repeat(255)},r=abc`, ",".repeat(255)],
    // Nobody acts for another; nobody has such a name.
    ["n,a=root,n=user,r=abc", "refused"],
    [`n,,n=${"x".repeat(256)},r=abc`, "refused"],
    // A mandatory extension is one that we do not know.
    ["n,,m=x,n=user,r=abc", "refused"],
    ["n,,n=user,r=abc,m=x", "refused"],
    ["n,,n=us=er,r=abc", "malformed"],
    ["n,,n=user=,r=abc", "malformed"],
    ["n,,n=user=2c,r=abc", "malformed"],
    ["n,a==2,n=user,r=abc", "malformed"],
    ["n,a=,n=user,r=abc", "malformed"],
    ["n,b=user,n=user,r=abc", "malformed"],
    ["n,,n=,r=abc", "malformed"],
    ["n,,n=user,r=", "malformed"],
    ["n,,n=user,r=a b", "malformed"],
    ["n,,n=user,r=ä", "malformed"],
    [`n,,n=user,r=${"x".repeat(1025)}`, "malformed"],
    ["n,,n=user", "malformed"],
    ["n,,r=abc,n=user", "malformed"],
    ["n,,n=user,r=abc,", "malformed"],
    ["n,,n=user,r=abc,x", "malformed"],
    ["n,,n=user,r=abc,x=", "malformed"],
    ["n,,n=user,r=abc,s=x", "malformed"],
    ["N,,n=user,r=abc", "malformed"],
    ["F,n,,n=user,r=abc", "malformed"],
    ["p,,n=user,r=abc", "malformed"],
    ["p=,,n=user,r=abc", "malformed"],
    ["p=tls exporter,,n=user,r=abc", "malformed"],
    ["n,n=user,r=abc", "malformed"],
    ["n=user,r=abc", "malformed"],
    ["n,,n=us\0er,r=abc", "malformed"],
    ["", "malformed"],
    [",", "malformed"],
    [`n,,n=user,r=abc,x=${"x".repeat(5000)}`, "malformed"],
    [Buffer.from("n,,n=us\xe4r,r=abc", "latin1"), "malformed"],
  ];
  for (const [first, expected] of cases)
    assert.deepEqual(said(begun("SCRAM-SHA-256", first).step), expected, JSON.stringify(first));
});

test("SCRAM-01 the client's final message", () => {
  const good = encodeBase64(new Uint8Array(32).fill(7));
  const cases: readonly (readonly [string, unknown])[] = [
    [`c=biws,r=abcserver,p=${good}`, "credentials"],
    [`c=biws,r=abcserver,x=more,p=${good}`, "credentials"],
    [`c=biws,r=abcserver,x=,p=,p=${good}`, "malformed"],
    // Another nonce, another binding, a header that is not the one that was sent.
    [`c=biws,r=abcservex,p=${good}`, "refused"],
    [`c=biws,r=abc,p=${good}`, "refused"],
    [`c=biws,r=abcserverx,p=${good}`, "refused"],
    [`c=eSws,r=abcserver,p=${good}`, "refused"],
    [`c=biw=,r=abcserver,p=${good}`, "refused"],
    [`c=,r=abcserver,p=${good}`, "refused"],
    [`c=biws,r=abcserver,m=x,p=${good}`, "refused"],
    [`c=biws,r=abcserver,p=${good.slice(0, -1)}`, "malformed"],
    [`c=biws,r=abcserver,p=${good},x=after`, "malformed"],
    [`c=biws,r=abcserver,p=${encodeBase64(new Uint8Array(31))}`, "malformed"],
    [`c=biws,r=abcserver,p= ${good}`, "malformed"],
    [`c=biws,r=abcserver,p=`, "malformed"],
    [`c=biws,r=abcserver`, "malformed"],
    [`r=abcserver,c=biws,p=${good}`, "malformed"],
    [`c=biws,r=abcserver,n=user,p=${good}`, "malformed"],
    [`p=${good}`, "malformed"],
    ["", "malformed"],
  ];
  for (const [final, expected] of cases) {
    const { exchange } = begun("SCRAM-SHA-256", "n,,n=user,r=abc");
    exchange.answered?.(facts);
    const step = exchange.step(octets(final));
    assert.equal(step.kind === "failed" ? step.reason : step.kind, expected, final);
    assert.equal(said(exchange.step(octets(`c=biws,r=abcserver,p=${good}`))), "malformed", "and then it is over");
  }
});

test("an exchange goes only one way", () => {
  const early = begun("SCRAM-SHA-256", "n,,n=user,r=abc").exchange;
  assert.equal(said(early.step(octets("c=biws,r=abc,p=AAAA"))), "malformed", "before the salt was told");
  const twice = begun("SCRAM-SHA-256", "n,,n=user,r=abc").exchange;
  assert.equal(said(twice.answered?.(facts)), `r=abcserver,s=${encodeBase64(facts.salt)},i=4096`);
  assert.equal(said(twice.answered?.(facts)), "malformed");
  const bad = begun("SCRAM-SHA-256", "n").exchange;
  assert.equal(said(bad.answered?.(facts)), "malformed");
});

test("without an initial response the client is asked by an empty challenge", () => {
  const mechanism = findMechanism("scram-sha-256");
  assert.ok(mechanism);
  const { exchange, step } = beginExchange(mechanism, undefined, policy, unbound);
  assert.equal(said(step), "");
  assert.equal(said(exchange.step(octets("n,,n=user,r=abc"))), "user");
});

const anyName = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((name) => !name.includes("\0"));
const anyNonce = fc.stringMatching(/^[\x21-\x2b\x2d-\x7e]{1,64}$/);
const anyFlag = fc.constantFrom("n" as const, "p=tls-exporter" as const, "p=tls-server-end-point" as const);
const anyHash = fc.constantFrom("sha1" as const, "sha256" as const);

function exchangeOf(hash: ScramHash, flag: string, first: string): Exchange {
  const name = `SCRAM-SHA-${hash === "sha1" ? "1" : "256"}${flag === "n" ? "" : "-PLUS"}`;
  return begun(name, first, bound).exchange;
}

test("property: whatever name, nonce, binding and hash, an honest client's proof comes out whole", () => {
  fc.assert(
    fc.property(anyName, anyNonce, anyNonce, anyFlag, anyHash, (name, nonce, serverNonce, flag, hash) => {
      fc.pre(Buffer.byteLength(name) <= 255);
      const bare = `n=${name.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
      const exchange = exchangeOf(hash, flag, `${flag},,${bare}`);
      const asked = exchange.answered?.({ salt: facts.salt, iterations: 1, nonce: serverNonce });
      const serverFirst = String(said(asked));
      const data = flag === "n" ? Buffer.alloc(0) : flag === "p=tls-exporter" ? EXPORTED : END_POINT;
      const input = encodeBase64(Buffer.concat([octets(`${flag},,`), data]));
      const final = clientFinal(hash, "pencil", bare, serverFirst, `c=${input},r=${nonce}${serverNonce}`);
      const step = exchange.step(octets(final.text));
      assert.ok(step.kind === "credentials" && step.credentials.kind === "scram");
      assert.equal(step.credentials.user, name);
      assert.equal(`p=${encodeBase64(step.credentials.proof)}`, final.text.slice(final.text.lastIndexOf("p=")));
    }),
    { numRuns: 200 },
  );
});

test("property: no octets crash the parser, and none that were changed on the way are taken", () => {
  const first = "n,,n=user,r=abc";
  const final = `c=biws,r=abcserver,p=${encodeBase64(new Uint8Array(32).fill(7))}`;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (one, other) => {
      const { exchange, step } = begun("SCRAM-SHA-256", one);
      if (step.kind === "question") exchange.answered?.(facts);
      assert.ok(["failed", "question"].includes(step.kind));
      assert.equal(exchange.step(other).kind, "failed");
    }),
  );
  fc.assert(
    fc.property(fc.nat(final.length - 1), fc.nat(255), (at, octet) => {
      const changed = octets(final);
      fc.pre(changed[at] !== octet && at < final.indexOf(",p=") + 3);
      changed[at] = octet;
      const { exchange } = begun("SCRAM-SHA-256", first);
      exchange.answered?.(facts);
      assert.equal(exchange.step(changed).kind, "failed");
    }),
  );
});
