import fs from "node:fs";
import path from "node:path";
import { addressOf, install, passwordOf, type Installation } from "../../e2e/harness/installation.ts";
import { makeMessages, messageOf } from "../../e2e/harness/messages.ts";
import { Pop3 } from "../../e2e/harness/pop3.ts";
import { serve, type Server } from "../../e2e/harness/server.ts";
import { scratch } from "../../e2e/harness/scratch.ts";
import { Smtp } from "../../e2e/harness/smtp.ts";
import type { Kept, Truth } from "./look.ts";

const USERS = ["ann", "bob", "cem"];
const MESSAGES = 24;
const OWN_FILE = 1_200_000;

/** A data folder as a stop left it and as a kill left it, with what has to be in both. */
export type House = {
  readonly installation: Installation;
  readonly truth: Truth;
  readonly stopped: string;
  readonly killed: string;
};

/** Fills a store by the real doors: short mail in segments, long mail in files, and mail that several people share. */
export async function furnish(stack: AsyncDisposableStack): Promise<House> {
  const installation = await install(stack, { users: USERS, config: { auth: { allow_cleartext: true } } });
  const folder = scratch(stack);
  const [stopped, killed] = [path.join(folder, "stopped"), path.join(folder, "killed")];
  const server = await serve(stack, installation);
  await fill(server);
  const truth = new Map<string, readonly Kept[]>();
  for (const user of USERS) truth.set(user, await fetched(server, user));
  await server.kill();
  fs.cpSync(installation.data, killed, { recursive: true });
  const again = await serve(stack, installation);
  await again.stop();
  fs.cpSync(installation.data, stopped, { recursive: true });
  return { installation, truth, stopped, killed };
}

/** Puts a copy in the place of what is there. */
export function layOut(house: House, from: "stopped" | "killed"): string {
  const { data } = house.installation;
  fs.rmSync(data, { recursive: true });
  fs.cpSync(house[from], data, { recursive: true });
  return data;
}

async function fill(server: Server): Promise<void> {
  await using session = await Smtp.open(server.ports.smtp);
  const everybody = USERS.map(addressOf);
  for (const [index, { octets }] of makeMessages(MESSAGES, 5).entries()) {
    const to = index % 4 === 0 ? everybody : [everybody[index % everybody.length] ?? ""];
    for (const reply of await session.data("a@elsewhere.example", to, octets))
      if (reply.code !== 250) throw new Error(`a message was not taken: ${reply.text}`);
  }
  for (const [index, address] of everybody.entries())
    await session.data("a@elsewhere.example", [address], messageOf(OWN_FILE, index).octets);
  await session.quit();
}

async function fetched(server: Server, user: string): Promise<Kept[]> {
  await using session = await Pop3.login(server.ports.pop3, addressOf(user), passwordOf(user));
  const uidls = await session.uidl();
  const messages = await session.retrieveAll();
  return messages.map((octets, index) => ({ octets, uidl: uidls[index] ?? "" }));
}
