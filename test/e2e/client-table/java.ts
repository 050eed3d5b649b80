import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import { mustRun } from "../harness/process.ts";
import { repository } from "../harness/repository.ts";
import type { Login } from "../harness/senders.ts";

/** The two names under which Java's mail API lives, and what each needs. */
export const javaMails = {
  jakarta: ["jakarta-mail.jar", "jakarta-activation.jar"],
  javax: ["javax.mail.jar", "javax.activation.jar"],
} as const;

export type JavaMail = keyof typeof javaMails;

/** Properties of the session, without `mail.pop3.` in front. */
export type Profile = Readonly<Record<string, string>>;

/** Compiles the program that fetches with a profile, for one of the two. */
export async function compileJava(which: JavaMail, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const source = path.join(folder, "Fetch.java");
  cpSync(path.join(repository, "test", "e2e", "programs", "Fetch.java"), source);
  await mustRun("sed", ["-i", `s/MAIL_API/${which}.mail/`, source]);
  await mustRun("javac", ["-cp", classPath(which), "-d", folder, source], { seconds: 120 });
}

/**
 * Fetches with a profile and gives what the program prints: a line a message (its number, its UIDL, the octets it got), then how
 * it ended. `remove`: each is deleted, and the folder closed with a QUIT.
 */
export async function fetchByJava(
  which: JavaMail,
  folder: string,
  port: number,
  login: Login,
  profile: Profile,
  { remove = false }: { readonly remove?: boolean } = {},
): Promise<string[]> {
  const properties = Object.entries(profile).map(([name, value]) => `-Dmail.pop3.${name}=${value}`);
  const trust = ["-Dmail.pop3.ssl.trust=*", "-Dmail.pop3.ssl.checkserveridentity=false"];
  const words = ["-cp", `${classPath(which)}:${folder}`, ...trust, ...properties, `-Ddelete=${remove}`, "Fetch"];
  const end = await mustRun("java", [...words, "localhost", String(port), login.user, login.password], {
    seconds: 120,
  });
  return end.text.trim().split("\n");
}

function classPath(which: JavaMail): string {
  return javaMails[which].map((jar) => `/usr/share/java/${jar}`).join(":");
}
