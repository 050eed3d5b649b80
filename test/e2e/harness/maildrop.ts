import assert from "node:assert/strict";
import { addressOf, passwordOf } from "./installation.ts";
import { makeMessages } from "./messages.ts";
import { Pop3 } from "./pop3.ts";
import type { Server } from "./server.ts";
import { Smtp } from "./smtp.ts";
import { expectedContent, sameOctets, withoutTrace } from "./trace.ts";

/** Delivers messages that must be taken, and gives what a client has to get for them. */
export async function deliver(server: Server, user: string, count: number, seed: number): Promise<Buffer[]> {
  await using session = await Smtp.open(server.ports.smtp);
  const messages = makeMessages(count, seed).map((message) => message.octets);
  for (const octets of messages) {
    const [reply] = await session.data("sender@elsewhere.example", [addressOf(user)], octets);
    assert.equal(reply?.code, 250, JSON.stringify(reply));
  }
  await session.quit();
  return messages.map(expectedContent);
}

/** Logs in by POP3S with the account's password; both leave as UTF-8. */
export function login(server: Server, user: string): Promise<Pop3> {
  const options = { tls: "implicit", ca: server.installation.ca } as const;
  const [name = "", password = ""] = [addressOf(user), passwordOf(user)].map((text) =>
    Buffer.from(text).toString("latin1"),
  );
  return Pop3.login(server.ports.pop3s, name, password, options);
}

/** The maildrop holds exactly these messages, in this order, octet by octet. */
export async function maildropHolds(server: Server, user: string, wanted: readonly Buffer[]): Promise<void> {
  await using session = await login(server, user);
  const found = await session.retrieveAll();
  await session.quit();
  assert.equal(found.length, wanted.length, `messages in the maildrop of ${user}`);
  for (const [index, octets] of found.entries()) {
    sameOctets(withoutTrace(octets), wanted[index] ?? Buffer.of(), `message ${index + 1} of ${user}`);
  }
}
