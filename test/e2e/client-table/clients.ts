import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { run } from "../harness/process.ts";
import { sharedFolder } from "../harness/repository.ts";
import type { Login } from "../harness/senders.ts";
import { splitMbox } from "./mail.ts";

/** A real client: fetches all mail by POP3S, leaves it on the server, and gives what it kept. */
export type Client = {
  readonly name: string;
  /** The Debian package that says which version it is. */
  readonly debian: string;
  readonly fetch: (port: number, login: Login, folder: string) => Promise<Buffer[]>;
};

const SECONDS = 120;

/** The fifteen clients of the recipes, in the order of the table. */
export const clients: readonly Client[] = [
  ...[
    ["fetchmail", "fetchmail", "fetchmail"],
    ["mpop", "mpop", "mpop"],
    ["getmail", "getmail6", "getmail6"],
    ["mutt", "mutt", "mutt"],
    ["neomutt", "neomutt", "neomutt"],
    ["curl", "curl", "curl"],
    ["python", "poplib (Python)", "python3"],
    ["perl", "Net::POP3 (Perl)", "perl"],
    ["ruby", "net-pop (Ruby)", "ruby"],
    ["php", "c-client (PHP imap)", "php-imap"],
    ["fdm", "fdm", "fdm"],
    ["jakarta", "Jakarta Mail", "libjakarta-mail-java"],
    ["javax", "JavaMail", "libmail-java"],
  ].map(([recipe = "", name = "", debian = ""]): Client => ({
    name,
    debian,
    fetch: (port, login, folder) => byRecipe(recipe, port, login, folder),
  })),
  { name: "Claws Mail", debian: "claws-mail", fetch: claws },
  {
    name: "Thunderbird",
    debian: "thunderbird",
    fetch: (port, login, folder) => thunderbird(port, login, folder, "tls"),
  },
];

async function byRecipe(name: string, port: number, login: Login, folder: string): Promise<Buffer[]> {
  await runRecipe("pop3-clients.sh", [folder, ...words(port, login), name]);
  return filesBelow(path.join(folder, name, "md"));
}

async function claws(port: number, login: Login, folder: string): Promise<Buffer[]> {
  const place = path.join(folder, "claws");
  await runRecipe("pop3-claws.sh", [place, ...words(port, login), "8"]);
  const inbox = path.join(place, "Mail", "inbox");
  return readdirSync(inbox)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readFileSync(path.join(inbox, name)));
}

/** Thunderbird, headless, by TLS from the first octet or by STLS; its authentication method: 3 a password, 10 OAuth 2. */
export async function thunderbird(
  port: number,
  login: Login,
  folder: string,
  security: "tls" | "stls",
): Promise<Buffer[]> {
  const place = path.join(folder, `thunderbird-${security}`);
  await runRecipe("pop3-thunderbird.sh", [place, ...words(port, login)], { SOCK: security === "tls" ? "3" : "2" });
  const inbox = path.join(place, "prof", "Mail", "h", "Inbox");
  return existsSync(inbox) ? splitMbox(readFileSync(inbox)) : [];
}

function words(port: number, { user, password, certificate }: Login): string[] {
  return ["localhost", String(port), user, password, certificate];
}

async function runRecipe(script: string, given: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const file = path.join(sharedFolder("recipes"), script);
  const end = await run("bash", [file, ...given], { seconds: SECONDS, env: { ...process.env, ...env } });
  const said = `${end.text}${end.stderr}`;
  if (end.code !== 0 || /rc=[1-9]/.test(end.text)) throw new Error(`${script} ${given.at(-1)}: ${said}`);
}

function filesBelow(folder: string): Buffer[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file));
}
