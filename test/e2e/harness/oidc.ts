import { readFileSync } from "node:fs";
import path from "node:path";
import { freePorts } from "./ports.ts";
import { mustRun, run } from "./process.ts";
import { sharedFolder } from "./repository.ts";
import { until } from "./wait.ts";

/** A real OpenID provider that gives tokens for whom it is asked. */
export type Oidc = {
  readonly issuer: string;
  readonly audience: string;
  /** An access token, a signed JWT, whose claim `email` is this address. */
  token(address: string): Promise<string>;
  /** Signs by a new key from now on. */
  rotate(): Promise<void>;
};

/** Starts the provider of the recipes in a folder; it is stopped with the stack. */
export async function startOidc(stack: AsyncDisposableStack, folder: string, tokenSeconds = 600): Promise<Oidc> {
  const [port = 0] = await freePorts(1);
  const script = path.join(sharedFolder("recipes"), "oidc.sh");
  const env = { ...process.env, PORT: String(port), TTL: String(tokenSeconds) };
  stack.defer(async () => void (await run("bash", [script, "stop", folder], { env, seconds: 30 })));
  // Its packages come from the registry, which may take a while.
  await mustRun("bash", [script, "start", folder], { env, seconds: 180 });
  const issuer = `http://127.0.0.1:${port}`;

  async function keyIds(): Promise<string[]> {
    const answer = await fetch(`${issuer}/jwks`);
    const { keys } = (await answer.json()) as { readonly keys: readonly { readonly kid: string }[] };
    return keys.map(({ kid }) => kid);
  }

  return {
    issuer,
    audience: "urn:mail",
    async token(address) {
      const form = {
        grant_type: "client_credentials",
        client_id: "mail",
        client_secret: "mail-secret",
        scope: "mail",
        login_hint: address,
      };
      const answer = await fetch(`${issuer}/token`, { method: "POST", body: new URLSearchParams(form) });
      const { access_token: token } = (await answer.json()) as { readonly access_token?: string };
      if (token === undefined) throw new Error(`no token: HTTP ${answer.status}`);
      return token;
    },
    async rotate() {
      const before = await keyIds();
      process.kill(Number(readFileSync(path.join(folder, "p"), "utf8")), "SIGUSR1");
      await until("the provider's new key", 10, async () => (await keyIds()).length > before.length);
    },
  };
}
