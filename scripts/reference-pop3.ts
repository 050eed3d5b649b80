import type { Channel, MechanismPolicy } from "../src/auth/engine/channel.ts";
import type { Mechanism } from "../src/auth/engine/mechanism.ts";
import { isUsable, mechanisms } from "../src/auth/engine/mechanisms.ts";
import { capabilities } from "../src/pop3/engine/capabilities.ts";
import { commands, type Command } from "../src/pop3/engine/commands.ts";
import { languages } from "../src/pop3/engine/languages.ts";
import { responseCodes } from "../src/pop3/engine/response-codes.ts";
import { NOTE, table } from "./markdown.ts";

/** The page about POP3, made from the tables that the engine itself runs on. */
export function pop3Page(): string {
  const parts = [
    NOTE,
    "# POP3",
    "What Mailkeep answers to a client of POP3: every command, capability, mechanism, response code and language. Replies are shown without their texts, which are for people and change with the language.",
    "## Commands",
    "A command line has 255 octets at most, its end included; AUTH and the lines of its exchange 32 KiB. What is longer, unknown, malformed or in the wrong state is answered by `-ERR` and changes nothing; before a login the twentieth such line ends the session.",
    commandTable(),
    "## Response codes",
    table(
      ["Code", "What it says", "RFC"],
      Object.entries(responseCodes).map(([code, { summary, rfc }]) => [`\`[${code}]\``, summary, rfc]),
    ),
    "## Capabilities",
    "In the order in which CAPA tells them. All are told before and after the login, so that a client that asks once knows all; the one exception says so.",
    table(
      ["Capability", "What it says", "RFC"],
      capabilities.map(({ name, summary, rfc }) => [`\`${name}\``, summary, rfc]),
    ),
    "## Mechanisms of AUTH",
    "In the order in which they are announced. Without TLS none is, unless `auth.allow_cleartext` is true. `auth.scram: auto` announces SCRAM while every enabled account has keys for it.",
    mechanismTable(),
    "APOP and CRAM-MD5 are not there, and will not be: both need passwords that the server can read.",
    "## Languages",
    table(
      ["Tag", "Language"],
      languages.map(({ tag, name }) => [`\`${tag}\``, Buffer.from(name, "latin1").toString("utf8")]),
    ),
    DECISIONS,
  ];
  return `${parts.join("\n\n")}\n`;
}

const DECISIONS = `## Where the RFCs leave a choice

- **STLS after UTF8** is taken and undoes UTF8 (RFC 6856 §2.1 lets a server refuse it): refusing TLS would help nobody.
- **LANG** takes the first language that the range filters (\`zh\` is zh-CN), else the nearest by lookup (\`en-GB\` is en; \`zh-TW\` is nothing here) (RFC 4647).
- **An account's own language** (\`mailkeep user set --language\`) is that of errors which clients show to people (maildrop in use, login delay, a message that cannot be sent, a device that may not delete), also before LANG was said; all other replies are ASCII until LANG is.
- **AUTH LOGIN** takes the user name with the command, as clients in the field send it, although the server speaks first.
- **A line may end with LF alone**, for people who type by hand.
- **Silence** ends a session after \`limits.pop3_idle_seconds\` without a word and without removing anything (RFC 1939 §3).`;

function commandTable(): string {
  const states = { authorization: "AUTHORIZATION", transaction: "TRANSACTION", both: "both" };
  const row = ({ usage, phase, summary, reply, codes, rfc }: Command): readonly string[] => [
    `\`${usage}\``,
    states[phase],
    summary,
    reply.replaceAll(/\+OK|-ERR/g, "`$&`"),
    codes.map((code) => `\`${code}\``).join(", "),
    rfc,
  ];
  return table(
    ["Command", "State", "What it does", "Reply", "Codes with `-ERR`", "RFC"],
    [...commands.values()].map(row),
  );
}

const RFC_OF_MECHANISM: Readonly<Record<string, string>> = {
  EXTERNAL: "RFC 4422 appendix A",
  "SCRAM-SHA-256-PLUS": "RFC 7677, RFC 9266",
  "SCRAM-SHA-1-PLUS": "RFC 5802, RFC 9266",
  "SCRAM-SHA-256": "RFC 7677",
  "SCRAM-SHA-1": "RFC 5802",
  PLAIN: "RFC 4616",
  LOGIN: "draft-murchison-sasl-login",
  OAUTHBEARER: "RFC 7628",
  XOAUTH2: "Google's and Microsoft's documents",
};

function mechanismTable(): string {
  const rows = mechanisms.map((mechanism) => {
    const rfc = RFC_OF_MECHANISM[mechanism.name];
    if (rfc === undefined) throw new Error(`say in scripts/reference-pop3.ts where ${mechanism.name} is specified`);
    return [
      `\`${mechanism.name}\``,
      needsOf(mechanism).join(", ") || "—",
      mechanism.clearSecret ? "yes" : "no",
      mechanism.serverFirst ? "server" : "client",
      rfc,
    ];
  });
  return table(["Mechanism", "Announced with", "Shows the secret to the server", "Speaks first", "RFC"], rows);
}

const ALL_ALLOWED: MechanismPolicy = {
  allowCleartext: true,
  scram: true,
  scramSha1: true,
  oauth: true,
  clientCertificates: true,
};
const ALL_THERE: Channel = { secure: true, binding: () => new Uint8Array(1), clientCertificate: true };

// What each mechanism needs is found out by taking one thing away after the other.
function needsOf(mechanism: Mechanism): readonly string[] {
  const without: readonly (readonly [string, Partial<MechanismPolicy>, Partial<Channel>])[] = [
    ["`auth.scram`", { scram: false }, {}],
    ["`auth.scram_sha1`", { scramSha1: false }, {}],
    ["`auth.oauth`", { oauth: false }, {}],
    ["`auth.client_certificates`", { clientCertificates: false }, {}],
    ["TLS, whatever `auth.allow_cleartext` says", {}, { secure: false }],
    ["TLS that ends here, not at a proxy", {}, { binding: () => undefined }],
    ["a client's certificate", {}, { clientCertificate: false }],
  ];
  const needed = without.filter(
    ([, policy, channel]) => !isUsable(mechanism, { ...ALL_ALLOWED, ...policy }, { ...ALL_THERE, ...channel }),
  );
  return needed.map(([name]) => name);
}
