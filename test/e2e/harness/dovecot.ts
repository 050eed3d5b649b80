import { chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { start } from "./process.ts";
import { freePorts, greets } from "./ports.ts";
import { scratch } from "./scratch.ts";
import { until, within } from "./wait.ts";
import { makeCertificate, type Certificate } from "./certificate.ts";

/** Debian's Dovecot in a folder of its own: any user, one password. */
export type Dovecot = {
  readonly pop3: number;
  readonly pop3s: number;
  readonly lmtp: number;
  readonly tls: Certificate;
  readonly password: string;
  /** Puts a message into a user's maildrop as it is. */
  readonly put: (user: string, name: string, octets: Buffer) => void;
};

const nobody = 65534;
const password = "dovecot-knows";

/** Starts a private Dovecot; it is stopped when the stack is disposed. */
export async function startDovecot(stack: AsyncDisposableStack): Promise<Dovecot> {
  const folder = scratch(stack);
  const tls = await makeCertificate(folder);
  const [pop3 = 0, pop3s = 0, lmtp = 0] = await freePorts(3);
  mkdirSync(path.join(folder, "run"));
  mkdirSync(path.join(folder, "mail"));
  chownSync(path.join(folder, "mail"), nobody, nobody);
  const file = path.join(folder, "dovecot.conf");
  writeFileSync(file, configuration(folder, tls, { pop3, pop3s, lmtp }));
  const child = start("dovecot", ["-F", "-c", file], { stdio: "ignore" });
  const ended = once(child, "exit");
  stack.defer(async () => {
    child.kill("SIGTERM");
    await within("Dovecot to end", 10, ended);
  });
  await until("Dovecot to listen", 10, () => greets(pop3));
  return { pop3, pop3s, lmtp, tls, password, put: (...mail) => put(folder, ...mail) };
}

function put(folder: string, user: string, name: string, octets: Buffer): void {
  const box = path.join(folder, "mail", user);
  for (const part of ["", "cur", "new", "tmp"].map((inner) => path.join(box, inner))) {
    if (existsSync(part)) continue;
    mkdirSync(part);
    chownSync(part, nobody, nobody);
  }
  const file = path.join(box, "new", name);
  writeFileSync(file, octets);
  chownSync(file, nobody, nobody);
}

function configuration(folder: string, tls: Certificate, ports: { pop3: number; pop3s: number; lmtp: number }): string {
  return `base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/dovecot.log
protocols = pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <${tls.certificate}
ssl_key = <${tls.key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 0
mail_location = maildir:${folder}/mail/%u
mail_privileged_group =
first_valid_uid = 0
mail_max_userip_connections = 0
passdb {
  driver = static
  args = password=${password}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/mail/%u
}
service pop3-login {
  inet_listener pop3 {
    port = ${ports.pop3}
  }
  inet_listener pop3s {
    port = ${ports.pop3s}
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    port = ${ports.lmtp}
  }
}
protocol lmtp {
  postmaster_address = postmaster@localhost
}
namespace inbox {
  inbox = yes
}
`;
}
