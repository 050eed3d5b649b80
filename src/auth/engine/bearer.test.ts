import assert from "node:assert/strict";
import { test } from "node:test";
import { CLEAR_CHANNEL, type Channel, type MechanismPolicy } from "./channel.ts";
import type { Exchange, Mechanism, Step } from "./mechanism.ts";
import { external } from "./external.ts";
import { beginExchange, usableMechanisms } from "./mechanisms.ts";
import { oauthbearer } from "./oauthbearer.ts";
import { xoauth2 } from "./xoauth2.ts";

const policy: MechanismPolicy = {
  allowCleartext: true,
  scram: false,
  scramSha1: false,
  oauth: true,
  clientCertificates: true,
};
const tls: Channel = { ...CLEAR_CHANNEL, secure: true };

function begin(mechanism: Mechanism, message: string, holds = policy): { exchange: Exchange; step: Step } {
  return beginExchange(mechanism, Buffer.from(message, "utf8"), holds, tls);
}

function said(step: Step): unknown {
  if (step.kind === "challenge") return Buffer.from(step.octets).toString();
  if (step.kind === "failed") return step.reason;
  assert.ok(step.kind === "credentials");
  const { credentials } = step;
  return credentials.kind === "token" ? [credentials.user, credentials.token.reveal()] : [credentials.user];
}

const NO_TOKEN = '{"status":"invalid_token"}';

test("OAUTH-01 OAUTHBEARER reads its one message strictly", () => {
  const longest = "t".repeat(16_384);
  const cases: readonly (readonly [string, unknown])[] = [
    [
      "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4q==\x01\x01",
      ["user@example.com", "vF9dft4q=="],
    ],
    ["n,,\x01auth=Bearer a.b-c_d~e+f/g\x01\x01", ["", "a.b-c_d~e+f/g"]],
    ["y,,\x01auth=bEARER t\x01\x01", ["", "t"]],
    ["n,a=a=2Cb=3Dc@d.test,\x01auth=Bearer t\x01\x01", ["a,b=c@d.test", "t"]],
    ["n,a=王芳@例子.test,\x01auth=Bearer t\x01\x01", ["王芳@例子.test", "t"]],
    ["n,,\x01qs=a=b\tc\x01auth=Bearer t\x01unknown=\x01\x01", ["", "t"]],
    [`n,,\x01auth=Bearer ${longest}\x01\x01`, ["", longest]],
    // Well-formed, and no token in it: the client is told what there is to ask for (RFC 7628 §4.3).
    ["n,a=user@example.com,\x01auth=\x01\x01", NO_TOKEN],
    ["n,,\x01\x01", NO_TOKEN],
    ["n,,\x01auth=Basic dGltOnNlY3JldA==\x01\x01", NO_TOKEN],
    ["n,,\x01auth=Bearer  t\x01\x01", NO_TOKEN],
    ["n,,\x01auth=Bearer a b\x01\x01", NO_TOKEN],
    ["n,,\x01auth=Bearer a=b\x01\x01", NO_TOKEN],
    [`n,,\x01auth=Bearer ${longest}t\x01\x01`, NO_TOKEN],
    ["", "malformed"],
    ["\x01", "malformed"],
    ["n,,", "malformed"],
    ["n,\x01auth=Bearer t\x01\x01", "malformed"],
    ["p=tls-exporter,,\x01auth=Bearer t\x01\x01", "malformed"],
    ["F,n,,\x01auth=Bearer t\x01\x01", "malformed"],
    ["n,a=,\x01auth=Bearer t\x01\x01", "malformed"],
    ["n,a=a=b,\x01auth=Bearer t\x01\x01", "malformed"],
    ["n,a=a\0b,\x01auth=Bearer t\x01\x01", "malformed"],
    [`n,a=${"x".repeat(256)},\x01auth=Bearer t\x01\x01`, "malformed"],
    ["n,,\x01auth=Bearer t\x01", "malformed"],
    ["n,,\x01auth=Bearer t", "malformed"],
    ["n,,\x01auth=Bearer t\x01\x01\x01", "malformed"],
    ["n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01", "malformed"],
    ["n,,\x01a1=x\x01auth=Bearer t\x01\x01", "malformed"],
    ["n,,\x01auth\x01\x01", "malformed"],
    ["n,,\x01auth=Bearer t\0\x01\x01", "malformed"],
    ["n,,\x01auth=Bearer té\x01\x01", "malformed"],
  ];
  for (const [message, expected] of cases) {
    assert.deepEqual(said(begin(oauthbearer, message).step), expected, JSON.stringify(message.slice(0, 80)));
  }
});

test("XOAUTH2 reads its one message strictly", () => {
  const noToken = '{"status":"401","schemes":"bearer"}';
  const cases: readonly (readonly [string, unknown])[] = [
    ["user=a@b.test\x01auth=Bearer ya29.t\x01\x01", ["a@b.test", "ya29.t"]],
    ["user=王芳@例子.test\x01auth=bearer t=\x01\x01", ["王芳@例子.test", "t="]],
    ["user=a@b.test\x01auth=\x01\x01", noToken],
    ["user=a@b.test\x01\x01", noToken],
    ["user=\x01auth=Bearer t\x01\x01", "malformed"],
    ["auth=Bearer t\x01user=a@b.test\x01\x01", "malformed"],
    ["user=a@b.test\x01auth=Bearer t\x01", "malformed"],
    ["user=a@b.test", "malformed"],
    ["user=a\0b\x01auth=Bearer t\x01\x01", "malformed"],
    [`user=${"x".repeat(256)}\x01auth=Bearer t\x01\x01`, "malformed"],
    ["", "malformed"],
  ];
  for (const [message, expected] of cases) {
    assert.deepEqual(said(begin(xoauth2, message).step), expected, JSON.stringify(message));
  }
});

test("OAUTH-01 a refused token is told as JSON, and the client's next message ends the exchange", () => {
  const holds = {
    ...policy,
    bearerHint: { scope: "mail", openidConfiguration: "https://id.test/.well-known/openid-configuration" },
  };
  for (const [mechanism, message, status] of [
    [oauthbearer, "n,,\x01auth=Bearer t\x01\x01", { status: "invalid_token" }],
    [xoauth2, "user=a\x01auth=Bearer t\x01\x01", { status: "401", schemes: "bearer" }],
  ] as const) {
    const { exchange } = begin(mechanism, message, holds);
    assert.equal(exchange.concluded?.({ ok: true }), undefined);
    const told = exchange.concluded?.({ ok: false });
    assert.deepEqual(JSON.parse(Buffer.from(told ?? []).toString()), {
      ...status,
      scope: "mail",
      "openid-configuration": "https://id.test/.well-known/openid-configuration",
    });
  }
  for (const answer of ["\x01", "", "n,,\x01auth=Bearer t\x01\x01"]) {
    const { exchange, step } = begin(oauthbearer, "n,,\x01auth=\x01\x01");
    assert.equal(step.kind, "challenge");
    assert.equal(said(exchange.step(Buffer.from(answer))), "refused", "nothing is judged after it");
  }
});

test("TLS-07 EXTERNAL takes whom the client wants to act as, or nobody in particular", () => {
  for (const [message, expected] of [
    ["", [""]],
    ["ann@example.test", ["ann@example.test"]],
    ["a\0b", "malformed"],
    ["x".repeat(256), "refused"],
  ] as const) {
    assert.deepEqual(said(begin(external, message).step), expected, JSON.stringify(message));
  }
  assert.equal(said(beginExchange(external, undefined, policy, tls).step), "", "asked by an empty challenge");
});

test("OAUTH-01, TLS-07 tokens need TLS whatever the configuration says, and EXTERNAL a certificate", () => {
  const names = (holds: MechanismPolicy, channel: Channel): readonly string[] =>
    usableMechanisms(holds, channel)
      .map(({ name }) => name)
      .filter((name) => ["OAUTHBEARER", "XOAUTH2", "EXTERNAL"].includes(name));
  assert.deepEqual(names(policy, CLEAR_CHANNEL), []);
  assert.deepEqual(names(policy, tls), ["OAUTHBEARER", "XOAUTH2"]);
  assert.deepEqual(names(policy, { ...tls, clientCertificate: true }), ["EXTERNAL", "OAUTHBEARER", "XOAUTH2"]);
  assert.deepEqual(
    names({ ...policy, oauth: false, clientCertificates: false }, { ...tls, clientCertificate: true }),
    [],
  );
});

test("P7 a token does not print itself", () => {
  const { step, exchange } = begin(oauthbearer, "n,,\x01auth=Bearer hunter2\x01\x01");
  const told = Buffer.from(exchange.concluded?.({ ok: false }) ?? []).toString();
  assert.ok(!JSON.stringify(step).includes("hunter2") && !told.includes("hunter2"));
});
