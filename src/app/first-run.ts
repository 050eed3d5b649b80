import { randomInt } from "node:crypto";
import type { CredentialMaker } from "../auth/credentials-made.ts";
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import { Secret } from "../lib/secret.ts";
import { parseAddress, parseDomain } from "../model/address.ts";
import type { SmtpPorts } from "../smtp/ports.ts";
import type { Directory } from "../store/ports.ts";
import { welcomeMessage } from "./welcome.ts";

/** Who is made on the first run without a configuration. */
export const DEMO_ADDRESS = "demo@example.test";

export type FirstRunParts = {
  readonly directory: Directory;
  readonly maker: Pick<CredentialMaker, "makeCredentials">;
  readonly intake: Pick<SmtpPorts, "openContent" | "deliver">;
  readonly clock: Clock;
};

/**
 * Makes the domain, the user and the welcome message of a first run, where there is no domain yet. Gives the password,
 * which is kept nowhere; undefined: this was not the first run.
 */
export async function firstRun(parts: FirstRunParts): Promise<Secret | undefined> {
  const { directory, clock } = parts;
  if ((await directory.domains()).length > 0) return undefined;
  const domain = parseDomain("example.test");
  const address = parseAddress(DEMO_ADDRESS);
  assert(domain.ok && address.ok, "the demo address is one");

  const password = new Secret(readablePassword());
  const made = await parts.maker.makeCredentials(address.value, password);
  if (!made.ok) throw new Error(`the demo user's password could not be hashed: ${made.error}`);

  const added = await directory.addDomain(domain.value, clock.now());
  if (!added.ok) throw new Error(`the domain example.test could not be added: ${added.error}`);
  const user = { address: address.value, ...made.value, enabled: true, quota: { octets: null, messages: null } };
  const accounts = await directory.addAccounts([user], clock.now());
  if (!accounts.ok) throw new Error(`the user ${DEMO_ADDRESS} could not be added: ${JSON.stringify(accounts.error)}`);
  const [account] = accounts.value;
  assert(account, "the account that was added");

  const content = parts.intake.openContent(0, () => undefined);
  assert(content, "room for the welcome message");
  content.write(Buffer.from(welcomeMessage(clock.now())));
  const recipient = {
    asGiven: DEMO_ADDRESS,
    address: account.address,
    account: account.id,
    mailbox: account.inbox,
    quota: { octets: Number.MAX_SAFE_INTEGER, messages: Number.MAX_SAFE_INTEGER },
  };
  const peer = { address: "127.0.0.1", port: 0 };
  const envelope = { protocol: "LMTP", peer, helo: "localhost", sender: "", recipients: [recipient] } as const;
  const [outcome] = await parts.intake.deliver(envelope, content, false);
  if (outcome !== "stored") throw new Error(`the welcome message could not be stored: ${outcome}`);
  return password;
}

// Letters and digits that nobody mistakes for one another, in groups: 16 of 31 are 79 bits.
function readablePassword(): string {
  const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";
  const letters = Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return letters.match(/.{4}/g)?.join("-") ?? letters;
}
