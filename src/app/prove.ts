import { randomBytes } from "node:crypto";
import { relative } from "node:path";
import type { CredentialMaker } from "../auth/credentials-made.ts";
import { languageOf } from "../config/language.ts";
import type { Config } from "../config/schema.ts";
import { Budget } from "../intake/budget.ts";
import { createContent } from "../intake/content.ts";
import { systemClock } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import { createInbound } from "../mailbox/append.ts";
import { parseAddress } from "../model/address.ts";
import type { Store } from "../store/ports.ts";
import { buildDeliver } from "./build.ts";
import { DEMO_ADDRESS, firstRun } from "./first-run.ts";
import type { ThreadListener } from "./thread-messages.ts";
import { banner } from "./welcome.ts";

const WELCOME_OCTETS = 1024 * 1024;

/** The demo user: `password` only on the run that made it, since it is kept nowhere. */
export type Demo = { readonly password: Secret | undefined };

/** Sees to the demo user of a server without a configuration; undefined: somebody else's users are here, not it. */
export async function makeDemo(config: Config, store: Store, maker: CredentialMaker): Promise<Demo | undefined> {
  const password = await firstRun({
    directory: store.directory,
    maker,
    intake: {
      openContent: createContent({ bodies: store.bodies, budget: new Budget(WELCOME_OCTETS) }),
      deliver: buildDeliver({ config, clock: systemClock }, createInbound(store.mail)),
    },
    clock: systemClock,
  });
  const address = parseAddress(DEMO_ADDRESS);
  return address.ok && (await store.directory.account(address.value)) ? { password } : undefined;
}

/** The banner for these listeners; "" where the two commands could not work. */
export function bannerFor(listeners: readonly ThreadListener[], { password }: Demo, certificateFile: string): string {
  const smtp = listeners.find(({ protocol }) => protocol === "smtp")?.address;
  const pop3s = listeners.find(({ protocol, tls }) => protocol === "pop3" && tls === "implicit")?.address;
  if (smtp === undefined || pop3s === undefined || "path" in smtp || "path" in pop3s) return "";
  const near = relative(process.cwd(), certificateFile);
  return banner({
    password,
    user: DEMO_ADDRESS,
    smtpPort: smtp.port,
    pop3sPort: pop3s.port,
    certificate: near.startsWith("..") ? certificateFile : near,
    chinese: languageOf(process.env) === "zh",
  });
}

/** 32 octets that key what this process remembers of passwords. */
export function newCacheKey(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}
