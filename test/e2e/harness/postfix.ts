import { once } from "node:events";
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { mustRun, start } from "./process.ts";
import { freePorts, greets } from "./ports.ts";
import { scratch } from "./scratch.ts";
import { until, within } from "./wait.ts";

/** A real Postfix in a folder of its own. */
export type Postfix = {
  readonly smtp: number;
  /** What it logged so far. */
  readonly log: () => string;
  /** Messages that wait in its queue. */
  readonly queued: () => Promise<string[]>;
};

/** Starts Postfix, which hands all mail for the domain to the LMTP port; it is stopped when the stack is disposed. */
export async function startPostfix(
  stack: AsyncDisposableStack,
  { domain, lmtp }: { domain: string; lmtp: number },
): Promise<Postfix> {
  const folder = scratch(stack);
  const [smtp = 0] = await freePorts(1);
  const etc = path.join(folder, "etc");
  for (const part of [etc, path.join(folder, "queue"), path.join(folder, "data")]) mkdirSync(part);
  chownSync(path.join(folder, "data"), await idOf("postfix"), await groupOf("postfix"));
  writeFileSync(path.join(etc, "main.cf"), mainFile(folder, domain, lmtp));
  writeFileSync(path.join(etc, "master.cf"), masterFile(smtp));
  await mustRun("postfix", ["-c", etc, "check"]);
  const child = start("postfix", ["-c", etc, "start-fg"], { stdio: "ignore" });
  const ended = once(child, "exit");
  stack.defer(async () => {
    await mustRun("postfix", ["-c", etc, "stop"]);
    await within("Postfix to end", 20, ended);
  });
  await until("Postfix to listen", 20, () => greets(smtp));
  return {
    smtp,
    log: () => readFileSync(path.join(folder, "postfix.log"), "utf8"),
    queued: async () => (await mustRun("postqueue", ["-c", etc, "-j"])).text.split("\n").filter((line) => line !== ""),
  };
}

async function idOf(user: string): Promise<number> {
  return Number((await mustRun("id", ["-u", user])).text);
}

async function groupOf(user: string): Promise<number> {
  return Number((await mustRun("id", ["-g", user])).text);
}

function mainFile(folder: string, domain: string, lmtp: number): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/postfix.log
maillog_file_prefixes = /
myhostname = front.e2e.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtputf8_enable = no
biff = no
alias_maps =
alias_database =
virtual_mailbox_domains = ${domain}
virtual_mailbox_maps =
virtual_transport = lmtp:inet:127.0.0.1:${lmtp}
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
message_size_limit = 60000000
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
`;
}

function masterFile(smtp: number): string {
  return `127.0.0.1:${smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}
