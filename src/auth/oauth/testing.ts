import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

type Key = Awaited<ReturnType<typeof generateKeyPair>>;

/** A provider on loopback that signs with jose, for tests: its keys, its discovery document, its introspection. */
export type TestProvider = AsyncDisposable & {
  readonly issuer: string;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** Answers in place of the usual ones, by path. */
  readonly answers: Map<string, (request: IncomingMessage, response: ServerResponse) => void>;
  /** What introspection says of a token; any other is not active. */
  readonly opaque: Map<string, Readonly<Record<string, unknown>>>;
  /** Signs a good token for `ann@example.test`, but for what is given otherwise; `null` leaves a claim out. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: { readonly kid?: string; readonly alg?: string },
  ): Promise<string>;
  /** Takes a new key, and publishes it and no other. */
  rotate(kid: string): Promise<void>;
};

/** What the provider's tokens are for. */
export const AUDIENCE = "mailkeep";
const CLIENT = `Basic ${Buffer.from("mail%3Aclient:s%26cret").toString("base64")}`;

/** Starts one. `now` is what it calls the time, ms since 1970. */
export async function startProvider(now: () => number): Promise<TestProvider> {
  const asked: string[] = [];
  const answers: TestProvider["answers"] = new Map();
  const opaque: TestProvider["opaque"] = new Map();
  let key = await generateKeyPair("RS256", { extractable: true });
  let kid = "k1";

  const usual: Readonly<Record<string, (request: IncomingMessage, body: string) => unknown>> = {
    "/.well-known/openid-configuration": () => ({ issuer, jwks_uri: `${issuer}/jwks` }),
    "/jwks": async () => ({ keys: [await publicKey(key, kid)] }),
    "/introspect": (request, body) => {
      if (request.headers.authorization !== CLIENT) return undefined;
      return opaque.get(new URLSearchParams(body).get("token") ?? "") ?? { active: false };
    },
  };
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const own = answers.get(path);
    if (own) return own(request, response);
    void answer(request, response, usual[path]);
  });
  const issuer = `http://127.0.0.1:${await listening(server)}`;

  return {
    issuer,
    asked,
    answers,
    opaque,
    sign: (claims = {}, header = {}) => {
      const seconds = Math.floor(now() / 1000);
      const all = { iss: issuer, aud: AUDIENCE, exp: seconds + 600, email: "ann@example.test", ...claims };
      const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as JWTPayload;
      return new SignJWT(kept).setProtectedHeader({ alg: "RS256", kid, ...header }).sign(key.privateKey);
    },
    async rotate(name) {
      key = await generateKeyPair("RS256", { extractable: true });
      kid = name;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with JSON, whatever the status. */
export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  usual: ((request: IncomingMessage, body: string) => unknown) | undefined,
): Promise<void> {
  let body = "";
  for await (const piece of request) body += String(piece);
  const value = await usual?.(request, body);
  answerJson(response, value ?? {}, value === undefined ? 401 : 200);
}

async function publicKey({ publicKey: key }: Key, kid: string): Promise<object> {
  return { ...(await exportJWK(key)), kid, alg: "RS256", use: "sig" };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
