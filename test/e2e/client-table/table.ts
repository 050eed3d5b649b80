import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../harness/process.ts";
import { repository } from "../harness/repository.ts";

/** What a run found about one client. */
export type ClientResult = {
  readonly client: string;
  readonly debian: string;
  /** What it logged in with, over which TLS: as the server's log has it. */
  readonly mechanism: string;
  readonly tls: string;
  readonly messages: number;
};

const page = path.join(repository, "docs", "reference", "clients.md");

/** The page as it stands in the project. */
export function writtenPage(): string {
  return readFileSync(page, "utf8");
}

/** Writes the page. */
export async function writePage(results: readonly ClientResult[], checks: readonly string[]): Promise<void> {
  writeFileSync(page, await clientsPage(results, checks));
}

/** A page without what another machine's packages may change: the column of versions. */
export function withoutVersions(text: string): string {
  return text.replaceAll(/^(\| [^|]+ \|) [^|]+ \|/gm, "$1");
}

/** The page of the reference that tells which real clients fetched their mail, and how. */
export async function clientsPage(results: readonly ClientResult[], checks: readonly string[]): Promise<string> {
  const rows: string[] = [];
  for (const result of results) {
    const version = await versionOf(result.debian);
    rows.push(`| ${result.client} | ${version} | ${result.mechanism} | ${result.tls} | ${result.messages} |`);
  }
  return `<!-- Made by \`npm run e2e:clients -- --write\`; do not edit. -->

# Clients

Real mail clients, as Debian has them, that fetched every message of a maildrop from this program by POP3S, left it there, and
kept it with every octet of its body: dots at the start of a line, UTF-8, lines of 998 octets, and 300 kB. "Login" and "TLS" are
what the server's log says of them. \`npm run e2e:clients\` runs them again.

| Client | Version | Login | TLS | Messages |
|---|---|---|---|---|
${rows.join("\n")}

Also tried in that run:

${checks.map((check) => `- ${check}`).join("\n")}
`;
}

async function versionOf(debian: string): Promise<string> {
  const end = await run("dpkg-query", ["--show", "--showformat=${Version}", debian]);
  return end.text.replace(/^\d+:/, "").replace(/[-+~].*$/, "") || "unknown";
}
