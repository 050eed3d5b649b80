import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mustRun, run } from "./process.ts";
import type { Login } from "./senders.ts";

/** Fetches all mail of a maildrop by POP3S into files and gives their contents in an order that does not depend on names. */
export type MailClient = (port: number, login: Login, folder: string) => Promise<Buffer[]>;

const fetchSeconds = 120;

/** fetchmail, each message given to a program that writes a file. */
export const fetchmail: MailClient = async (port, { user, password, certificate }, folder) => {
  const box = makeMaildir(folder);
  const rc = path.join(folder, "fetchmailrc");
  const account = `poll localhost protocol pop3 port ${port} username "${user}" password "${password}"`;
  const secure = `ssl sslproto tls1.2+ sslcertck sslcertfile ${certificate}`;
  writeFileSync(rc, `${account} ${secure} keep fetchall mda "/bin/sh -c 'cat >$(mktemp ${box}/new/XXXXXXXX)'"\n`, {
    mode: 0o600,
  });
  const options = { seconds: fetchSeconds, env: { ...process.env, FETCHMAILHOME: folder, HOME: folder } };
  const end = await run("fetchmail", ["-f", rc, "--nosyslog", "--nodetach", "-vv"], options);
  writeFileSync(path.join(folder, "log"), end.text + end.stderr);
  // 1: there was no mail.
  if (end.code !== 0 && end.code !== 1) throw new Error(`fetchmail ended with ${end.code}\n${end.stderr}`);
  return contents(box, "fetchmail");
};

/** mpop, delivering into a Maildir. */
export const mpop: MailClient = async (port, { user, password, certificate }, folder) => {
  const box = makeMaildir(folder);
  const rc = path.join(folder, "mpoprc");
  const lines = [
    "account default",
    "host localhost",
    `port ${port}`,
    `user ${user}`,
    `password ${password}`,
    "tls on",
    "tls_starttls off",
    `tls_trust_file ${certificate}`,
    "keep on",
    `uidls_file ${path.join(folder, "uidls")}`,
    `delivery maildir ${box}`,
  ];
  writeFileSync(rc, `${lines.join("\n")}\n`, { mode: 0o600 });
  await mustRun("mpop", ["-C", rc, "--all-accounts"], { seconds: fetchSeconds, env: { ...process.env, HOME: folder } });
  return contents(box, "mpop");
};

function makeMaildir(folder: string): string {
  const box = path.join(folder, "box");
  for (const part of ["", "cur", "new", "tmp"]) mkdirSync(path.join(box, part), { recursive: true });
  return box;
}

function contents(box: string, client: string): Buffer[] {
  const files = readdirSync(path.join(box, "new")).map((name) => readFileSync(path.join(box, "new", name)));
  return files.map((octets) => withoutOwnTrace(octets, client)).toSorted((a, b) => a.compare(b));
}

/** Sets aside the trace header that the client wrote itself, which names the server's port and the time. */
function withoutOwnTrace(message: Buffer, client: string): Buffer {
  const fields = message.toString("latin1").matchAll(/^Received: .*\n(?:[ \t].*\n)*/gm);
  const own = fields.find(([field]) => field.includes(`(${client}`));
  if (own === undefined) return message;
  return Buffer.concat([message.subarray(0, own.index), message.subarray(own.index + own[0].length)]);
}
