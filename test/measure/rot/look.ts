import { unstuff } from "../../e2e/harness/dots.ts";
import { addressOf, passwordOf } from "../../e2e/harness/installation.ts";
import { Pop3 } from "../../e2e/harness/pop3.ts";
import type { Server } from "../../e2e/harness/server.ts";

/** A message as it has to be: its UIDL and its octets. */
export type Kept = { readonly uidl: string; readonly octets: Buffer };
/** The mail of each user. */
export type Truth = ReadonlyMap<string, readonly Kept[]>;

/** What a maildrop gave: why nobody could log in or list; else what came of each RETR, and of a QUIT. */
export type Seen =
  | { readonly refused: string }
  | {
      readonly refused?: undefined;
      readonly uidls: readonly string[];
      readonly messages: readonly ("good" | "refused" | "cut")[];
    };

const PERMANENT = /^-ERR \[SYS\/PERM\] /;
const TEMPORARY = /^-ERR \[SYS\/TEMP\] /;
const FORGOTTEN = /^-ERR \[AUTH\] /;

/**
 * Fetches all of a maildrop as its owner would, deletes the first message that came whole, and looks again. Throws when
 * something is given as good that is not, or when something is gone that was not deleted.
 */
export async function look(server: Server, user: string, kept: readonly Kept[]): Promise<Seen> {
  const first = await fetchAll(server, user, kept);
  if (first.refused !== undefined) return first;
  const good = first.messages.indexOf("good");
  if (good < 0) return first;
  const removed = await removeOne(server, user, good + 1, kept.length);
  const rest = kept.filter((_, index) => !removed || index !== good);
  const again = await fetchAll(
    server,
    user,
    rest,
    new Set(first.uidls.filter((_, index) => first.messages[index] !== "good")),
  );
  if (again.refused !== undefined) throw new Error(`${user}: a QUIT closed the maildrop: ${again.refused}`);
  const before = first.messages.filter((_, index) => !removed || index !== good);
  if (before.join() !== again.messages.join())
    throw new Error(`${user}: a QUIT changed what can be fetched: ${before.join()}, then ${again.messages.join()}`);
  return first;
}

/** Fetches all of a maildrop. `odd`: UIDLs that damaged rows were seen to have. */
export async function fetchAll(
  server: Server,
  user: string,
  kept: readonly Kept[],
  odd: ReadonlySet<string> = new Set(),
): Promise<Seen> {
  let session = await login(server, user);
  if (typeof session === "string") return { refused: session };
  try {
    const stat = await session.command("STAT");
    if (!stat.startsWith("+OK")) return { refused: outage(stat) };
    if (Number(stat.split(" ")[1]) !== kept.length)
      throw new Error(`${user}: ${stat} where ${kept.length} messages are`);
    const listed = await lines(session, "UIDL");
    if (typeof listed === "string") return { refused: listed };
    if (listed.length !== kept.length) throw new Error(`${user}: UIDL lists ${listed.length} of ${kept.length}`);
    const uidls = listed.map((line) => line.split(" ")[1] ?? "");
    const messages: ("good" | "refused" | "cut")[] = [];
    for (const [index, { uidl, octets }] of kept.entries()) {
      const got = await retrieve(session, index + 1);
      if (typeof got === "string") {
        messages.push(got);
        if (got === "cut") {
          session = await login(server, user);
          if (typeof session === "string") throw new Error(`${user}: ${session} after a message was cut`);
        } else if ((await session.command(`DELE ${index + 1}`)).startsWith("+OK"))
          throw new Error(`${user}: a message that was not sent could be deleted`);
        continue;
      }
      if (!got.equals(octets)) throw new Error(`${user}: message ${index + 1} was given as good and is not`);
      if (uidls[index] !== uidl && !odd.has(uidls[index] ?? ""))
        throw new Error(`${user}: message ${index + 1} is good and has another UIDL`);
      messages.push("good");
    }
    return { uidls, messages };
  } finally {
    if (typeof session !== "string") session.wire.close();
  }
}

/** Deletes one message; false: the store did not take it, and said so. */
async function removeOne(server: Server, user: string, number: number, messages: number): Promise<boolean> {
  const session = await login(server, user);
  if (typeof session === "string") throw new Error(`${user}: ${session} at the second login`);
  try {
    await session.must(`DELE ${number}`);
    const stat = await session.must("STAT");
    if (Number(stat.split(" ")[1]) !== messages - 1)
      throw new Error(`${user}: ${stat} with one of ${messages} deleted`);
    const quit = await session.command("QUIT");
    if (!quit.startsWith("+OK")) outage(quit);
    return quit.startsWith("+OK");
  } finally {
    session.wire.close();
  }
}

async function login(server: Server, user: string): Promise<Pop3 | string> {
  const session = await Pop3.open(server.ports.pop3);
  await session.must(`USER ${addressOf(user)}`);
  const answer = await session.command(`PASS ${passwordOf(user)}`);
  if (answer.startsWith("+OK")) return session;
  session.wire.close();
  return FORGOTTEN.test(answer) ? "credentials" : outage(answer);
}

/** What an error says of itself; an error that tells neither is a promise broken (rule 3206-01). */
function outage(answer: string): string {
  if (PERMANENT.test(answer)) return "damaged";
  if (TEMPORARY.test(answer)) return "unavailable";
  throw new Error(`an answer that says nothing of damage: ${answer}`);
}

async function lines(session: Pop3, command: string): Promise<string[] | string> {
  const status = await session.command(command);
  if (!status.startsWith("+OK")) return outage(status);
  const text = (await multiline(session)).toString("latin1");
  return text === "" ? [] : text.replace(/\r\n$/, "").split("\r\n");
}

async function retrieve(session: Pop3, number: number): Promise<Buffer | "refused" | "cut"> {
  let status: string;
  try {
    status = await session.command(`RETR ${number}`);
  } catch (cause) {
    if (session.wire.finished) return "cut";
    throw cause;
  }
  if (!status.startsWith("+OK")) {
    outage(status);
    return "refused";
  }
  try {
    return unstuff(await multiline(session));
  } catch (cause) {
    if (session.wire.finished) return "cut";
    throw cause;
  }
}

async function multiline(session: Pop3): Promise<Buffer> {
  const pieces: Buffer[] = [];
  await session.wire.multiline((piece) => pieces.push(piece));
  return Buffer.concat(pieces);
}
