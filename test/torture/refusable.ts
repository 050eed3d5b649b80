import { unstuff } from "../e2e/harness/dots.ts";
import { addressOf, passwordOf } from "../e2e/harness/installation.ts";
import { Pop3 } from "../e2e/harness/pop3.ts";
import type { Server } from "../e2e/harness/server.ts";

/** The server could not do now what was asked, and said so in true words. */
export class Refused extends Error {}

/** A login by POP3S; the store may not answer, but nobody's password is wrong for that. */
export async function openMaildrop(server: Server, box: string, seconds: number): Promise<Pop3> {
  const options = { tls: "implicit", ca: server.installation.ca, seconds } as const;
  const session = await Pop3.open(server.ports.pop3s, options);
  try {
    await session.must(`USER ${addressOf(box)}`);
    taken(await session.command(`PASS ${passwordOf(box)}`), "PASS");
    return session;
  } catch (cause) {
    session.wire.close();
    throw cause;
  }
}

/** The second word of each line of a listing. */
export async function listOf(session: Pop3, command: "UIDL" | "LIST"): Promise<string[]> {
  const text = (await multiline(session, command)).toString("latin1");
  return text === ""
    ? []
    : text
        .replace(/\r\n$/, "")
        .split("\r\n")
        .map((line) => line.split(" ")[1] ?? "");
}

/** The octets of a message. */
export async function retrieve(session: Pop3, number: number): Promise<Buffer> {
  return unstuff(await multiline(session, `RETR ${number}`));
}

async function multiline(session: Pop3, command: string): Promise<Buffer> {
  taken(await session.command(command), command);
  const pieces: Buffer[] = [];
  await session.wire.multiline((piece) => pieces.push(piece));
  return Buffer.concat(pieces);
}

function taken(status: string, command: string): void {
  if (status.startsWith("+OK")) return;
  if (/^-ERR \[(SYS\/TEMP|IN-USE)\]/.test(status)) throw new Refused(status);
  throw new Error(`the answer to ${command} is ${status}`);
}
