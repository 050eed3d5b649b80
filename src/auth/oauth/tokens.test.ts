import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { SignJWT, UnsecuredJWT } from "jose";
import { Secret } from "../../lib/secret.ts";
import { recordingLog } from "../../observe/testing.ts";
import type { ProviderConfig } from "./provider.ts";
import { answerJson, AUDIENCE, startProvider, type TestProvider } from "./testing.ts";
import { createTokens, type Tokens } from "./tokens.ts";

const PAUSE_MS = 10_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A clock that the test moves; it begins at some time of day. */
class HeldClock {
  ms = 1_764_000_000_000;
  readonly now = (): number => this.ms;
  readonly monotonic = (): number => this.ms - 1_000_000;
}

function configOf({ issuer }: TestProvider, more: Partial<ProviderConfig> = {}): ProviderConfig {
  return { issuer, audience: AUDIENCE, usernameClaim: "email", ...more };
}

function withIntrospection({ issuer }: TestProvider): Partial<ProviderConfig> {
  return { introspection: { url: `${issuer}/introspect`, clientId: "mail:client", clientSecret: "s&cret" } };
}

async function said(tokens: Tokens, token: string): Promise<string> {
  const outcome = await tokens.verify(new Secret(token));
  return outcome.ok ? outcome.value.username : outcome.error;
}

async function house(clock: HeldClock, more: (provider: TestProvider) => Partial<ProviderConfig> = () => ({})) {
  const provider = await startProvider(clock.now);
  const { log, events } = recordingLog();
  const tokens = createTokens([configOf(provider, more(provider))], { clock, log });
  const reasons = (): unknown[] =>
    events.filter(({ event }) => event === "oauth.refused").map(({ fields }) => (fields as { reason: string }).reason);
  const outages = (): unknown[] =>
    events.filter(({ event }) => event === "oauth.unavailable").map(({ fields }) => fields);
  return {
    provider,
    tokens,
    events,
    log,
    reasons,
    outages,
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}

describe("OAUTH-01 a JWT", () => {
  test("is taken by issuer, audience, time, scope and claim; the operator hears why one is not", async () => {
    const clock = new HeldClock();
    await using at = await house(clock, () => ({ scope: "mail" }));
    const { provider, tokens } = at;
    const now = Math.floor(clock.ms / 1000);
    const cases: readonly (readonly [Record<string, unknown>, string, string?])[] = [
      [{}, "refused", "it lacks the scope mail"],
      [{ scope: "openid mailing" }, "refused", "it lacks the scope mail"],
      [{ scope: "openid mail" }, "ann@example.test"],
      [{ scp: ["mail"] }, "ann@example.test"],
      [{ scp: "mail" }, "ann@example.test"],
      [{ scope: "mail", aud: ["other", AUDIENCE] }, "ann@example.test"],
      [{ scope: "mail", aud: "other" }, "refused", "its claim aud is not right"],
      [{ scope: "mail", aud: null }, "refused", "its claim aud is not right"],
      [{ scope: "mail", exp: now - 20 }, "ann@example.test"],
      [{ scope: "mail", exp: now - 40 }, "refused", "it has expired"],
      [{ scope: "mail", exp: null }, "refused", "its claim exp is not right"],
      [{ scope: "mail", nbf: now + 20 }, "ann@example.test"],
      [{ scope: "mail", nbf: now + 40 }, "refused", "its claim nbf is not right"],
      [{ scope: "mail", email: null }, "refused", "it has no claim email"],
      [{ scope: "mail", email: ["a@b.test"] }, "refused", "it has no claim email"],
      [{ scope: "mail", email: "" }, "refused", "it has no claim email"],
      [{ scope: "mail", email: `${"x".repeat(256)}@b.test` }, "refused", "it has no claim email"],
      [{ scope: "mail", email_verified: true }, "ann@example.test"],
      [{ scope: "mail", email_verified: false }, "refused", "its email is not verified"],
      [{ scope: "mail", iss: "https://elsewhere.test" }, "refused", "it is of no configured issuer"],
    ];
    const told: unknown[] = [];
    for (const [claims, expected, reason] of cases) {
      const token = await provider.sign(claims);
      assert.equal(await said(tokens, token), expected, JSON.stringify(claims));
      if (reason !== undefined) told.push(reason);
      assert.ok(!JSON.stringify(at.events).includes(token), "P7: a token is in no log");
    }
    assert.deepEqual(at.reasons(), told);
    assert.deepEqual(provider.asked, ["/.well-known/openid-configuration", "/jwks"], "the keys were fetched once");
  });

  test("is not taken when anybody else could have made it", async () => {
    const clock = new HeldClock();
    await using at = await house(clock);
    const { provider, tokens } = at;
    const claims = { iss: provider.issuer, aud: AUDIENCE, exp: clock.ms / 1000 + 600, email: "ann@example.test" };
    const good = await provider.sign();
    assert.equal(await said(tokens, good), "ann@example.test");

    const [header, payload, signature] = good.split(".");
    const other = Buffer.from(JSON.stringify({ ...claims, email: "bob@example.test" })).toString("base64url");
    const strangers = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const secret = Buffer.from("the provider's public key, as if it were a secret");
    for (const [token, reason] of [
      [`${header}.${other}.${signature}`, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
      [`${header}.${payload}.`, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
      [new UnsecuredJWT(claims).encode(), "ERR_JOSE_ALG_NOT_ALLOWED"],
      [
        await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(secret),
        "ERR_JOSE_ALG_NOT_ALLOWED",
      ],
      [
        await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k1" }).sign(strangers),
        "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
      ],
      [await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k9" }).sign(strangers), "unknown key"],
      ["opaque", "it is no JWT of a provider"],
      ["a.b.c", "it is no JWT of a provider"],
      ["", "it is no JWT of a provider"],
    ] as const) {
      assert.equal(await said(tokens, token), "refused");
      assert.equal(at.reasons().at(-1), reason);
    }
  });

  test("of one of several issuers is judged by that one's keys", async () => {
    const clock = new HeldClock();
    await using one = await startProvider(clock.now);
    await using two = await startProvider(clock.now);
    const { log } = recordingLog();
    const configs = [configOf(one), configOf(two, { usernameClaim: "preferred_username" })];
    const tokens = createTokens(configs, { clock, log });
    assert.equal(await said(tokens, await two.sign({ preferred_username: "bob" })), "bob");
    assert.deepEqual(one.asked, []);
    assert.equal(await said(tokens, await one.sign()), "ann@example.test");
    assert.equal(await said(tokens, await two.sign({ iss: one.issuer })), "refused", "one may not speak for the other");
    assert.equal(await said(createTokens([], { clock, log }), await one.sign()), "refused");
  });
});

describe("the keys of a provider", () => {
  test("rotate: an unknown key is looked for, and those who send unknown keys make nobody ask without end", async () => {
    const clock = new HeldClock();
    await using at = await house(clock, ({ issuer }) => ({ jwksUri: `${issuer}/jwks` }));
    const { provider, tokens } = at;
    assert.equal(await said(tokens, await provider.sign()), "ann@example.test");
    await provider.rotate("k2");
    assert.equal(await said(tokens, await provider.sign()), "ann@example.test");
    assert.equal(provider.asked.length, 2);
    const bogus = await provider.sign({}, { kid: "k9" });
    for (let n = 0; n < 50; n++) assert.equal(await said(tokens, bogus), "refused");
    assert.equal(provider.asked.length, 4, "three times at once");
    for (let n = 0; n < 6; n++) {
      clock.ms += PAUSE_MS;
      for (let m = 0; m < 5; m++) assert.equal(await said(tokens, bogus), "refused");
    }
    assert.equal(provider.asked.length, 10, "then once in ten seconds");
    assert.equal(await said(tokens, await provider.sign()), "ann@example.test");
    assert.equal(provider.asked.length, 10);
  });

  test("are fetched once for all who wait for them, and again when they are old", async () => {
    const clock = new HeldClock();
    await using at = await house(clock);
    const { provider, tokens } = at;
    const token = await provider.sign({ exp: clock.ms / 1000 + 48 * 3600 });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => said(tokens, token)));
    assert.deepEqual(new Set(outcomes), new Set(["ann@example.test"]));
    assert.equal(provider.asked.length, 2);
    clock.ms += 11 * MINUTE;
    assert.equal(await said(tokens, token), "ann@example.test");
    assert.deepEqual(provider.asked.slice(2), ["/jwks"]);
  });

  test("that cannot be had are an outage, never a refusal; those at hand serve for a day", async () => {
    const clock = new HeldClock();
    await using at = await house(clock);
    const { provider, tokens } = at;
    const token = await provider.sign({ exp: clock.ms / 1000 + 48 * 3600 });
    provider.answers.set("/jwks", (_request, response) => answerJson(response, {}, 503));
    assert.equal(await said(tokens, token), "unavailable");
    assert.equal(await said(tokens, token), "unavailable");
    assert.equal(provider.asked.length, 2, "one that fails is let alone for a while");
    assert.deepEqual(at.outages(), [{ issuer: provider.issuer, url: `${provider.issuer}/jwks`, reason: "status 503" }]);
    provider.answers.clear();
    clock.ms += PAUSE_MS;
    assert.equal(await said(tokens, token), "ann@example.test");

    provider.answers.set("/jwks", (request) => request.socket.destroy());
    clock.ms += 23 * HOUR;
    assert.equal(await said(tokens, token), "ann@example.test");
    assert.equal(await said(tokens, await provider.sign({}, { kid: "k9" })), "unavailable", "it may be a new key");
    clock.ms += 2 * HOUR;
    assert.equal(await said(tokens, token), "unavailable");
    provider.answers.clear();
    clock.ms += PAUSE_MS;
    assert.equal(await said(tokens, token), "ann@example.test");
  });

  for (const [what, path, answer, reason] of [
    ["a redirect", "/jwks", redirect, "unexpected redirect"],
    ["an answer without end", "/jwks", endless, "the answer is too long"],
    ["no JSON", "/jwks", (_, response) => response.end("<html>"), "the answer is no JSON object"],
    ["no set of keys", "/jwks", (_, response) => answerJson(response, { keys: 1 }), "it is no set of keys"],
    [
      "the document of another",
      "/.well-known/openid-configuration",
      (_, response) =>
        answerJson(response, { issuer: "https://elsewhere.test", jwks_uri: "https://elsewhere.test/jwks" }),
      "it is the document of another issuer",
    ],
  ] as const satisfies readonly (readonly [string, string, Answer, string])[]) {
    test(`${what} is an outage`, async () => {
      await using at = await house(new HeldClock());
      at.provider.answers.set(path, answer);
      assert.equal(await said(at.tokens, await at.provider.sign()), "unavailable");
      assert.deepEqual(at.outages(), [{ issuer: at.provider.issuer, url: `${at.provider.issuer}${path}`, reason }]);
    });
  }

  test("are not waited for without end, and never asked for in clear text", async () => {
    const clock = new HeldClock();
    await using at = await house(clock);
    const { provider, log } = at;
    provider.answers.set("/jwks", (_request, response) => void response.writeHead(200).write("{"));
    const hasty = createTokens([configOf(provider)], { clock, log, deadlineMs: 50 });
    assert.equal(await said(hasty, await provider.sign()), "unavailable");
    const clear = createTokens([configOf(provider, { jwksUri: "http://192.0.2.1/jwks" })], { clock, log });
    assert.equal(await said(clear, await provider.sign()), "unavailable");
    const stopping = AbortSignal.abort();
    const stopped = createTokens([configOf(provider)], { clock, log, stopping });
    assert.equal(await said(stopped, await provider.sign()), "unavailable");
    assert.deepEqual(
      at.outages().map((fields) => (fields as { reason: string }).reason),
      ["no answer within 0.05 seconds", "the address is not https"],
    );
  });
});

describe("introspection (RFC 7662)", () => {
  test("judges what is no JWT; its answer is remembered for half a minute", async () => {
    const clock = new HeldClock();
    await using at = await house(clock, (provider) => ({ ...withIntrospection(provider), scope: "mail" }));
    const { provider, tokens } = at;
    const now = clock.ms / 1000;
    const good = { active: true, aud: AUDIENCE, scope: "mail", email: "ann@example.test", exp: now + 600 };
    for (const [claims, expected] of [
      [good, "ann@example.test"],
      [{ ...good, aud: undefined, client_id: AUDIENCE }, "ann@example.test"],
      [{ ...good, aud: undefined, client_id: "other" }, "refused"],
      [{ ...good, aud: undefined }, "refused"],
      [{ ...good, aud: ["other"] }, "refused"],
      [{ ...good, iss: provider.issuer }, "ann@example.test"],
      [{ ...good, iss: "https://elsewhere.test" }, "refused"],
      [{ ...good, scope: "other" }, "refused"],
      [{ ...good, exp: now - 40 }, "refused"],
      [{ ...good, exp: "soon" }, "refused"],
      [{ ...good, nbf: now + 40 }, "refused"],
      [{ ...good, active: "true" }, "refused"],
      [{ ...good, email: undefined }, "refused"],
    ] as const) {
      const token = `t${provider.opaque.size}`;
      provider.opaque.set(token, claims);
      assert.equal(await said(tokens, token), expected, JSON.stringify(claims));
    }
    assert.equal(await said(tokens, "unknown"), "refused");
    const before = provider.asked.length;
    assert.equal(await said(tokens, "t0"), "ann@example.test");
    provider.opaque.delete("t0");
    assert.equal(await said(tokens, "t0"), "ann@example.test");
    assert.equal(provider.asked.length, before);
    clock.ms += 31_000;
    assert.equal(await said(tokens, "t0"), "refused");
    const jwt = await provider.sign({ scope: "mail" });
    assert.equal(await said(tokens, jwt), "ann@example.test", "a JWT is judged by its keys");
    assert.deepEqual(provider.asked.slice(before), ["/introspect", "/.well-known/openid-configuration", "/jwks"]);
  });

  test("that cannot be had is an outage, also where another provider does not know the token", async () => {
    const clock = new HeldClock();
    await using one = await startProvider(clock.now);
    await using two = await startProvider(clock.now);
    const { log } = recordingLog();
    const configs = [one, two].map((provider) => configOf(provider, withIntrospection(provider)));
    const tokens = createTokens(configs, { clock, log });
    one.answers.set("/introspect", (request) => request.socket.destroy());
    assert.equal(await said(tokens, "t"), "unavailable");
    two.opaque.set("u", { active: true, aud: AUDIENCE, email: "bob@example.test" });
    assert.equal(await said(tokens, "u"), "bob@example.test");
    one.answers.clear();
    const asked = one.asked.length;
    assert.deepEqual(await Promise.all(["t", "t", "t"].map((token) => said(tokens, token))), Array(3).fill("refused"));
    assert.equal(one.asked.length, asked + 1, "those who ask the same share one answer");
  });

  test("with a wrong client secret is an outage for the operator to mend", async () => {
    await using at = await house(new HeldClock(), ({ issuer }) => ({
      introspection: { url: `${issuer}/introspect`, clientId: "mail:client", clientSecret: "old" },
    }));
    assert.equal(await said(at.tokens, "t"), "unavailable");
    assert.deepEqual(
      at.outages().map((fields) => (fields as { reason: string }).reason),
      ["status 401"],
    );
  });
});

type Answer = Parameters<TestProvider["answers"]["set"]>[1];

function redirect(...[request, response]: Parameters<Answer>): void {
  response.writeHead(302, { location: `http://${request.headers.host}/elsewhere` }).end();
}

function endless(...[, response]: Parameters<Answer>): void {
  response.writeHead(200).write(`{"keys":[${" ".repeat(300_000)}`);
}
