import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { mustRun } from "./process.ts";
import { Random } from "./random.ts";
import { repository } from "./repository.ts";
import { Smtp } from "./smtp.ts";

/** Where a program sends to, and as whom. */
export type Target = {
  readonly port: number;
  readonly from: string;
  readonly to: string;
  /** A folder for the files that the program reads. */
  readonly folder: string;
};

export type Login = { readonly user: string; readonly password: string; readonly certificate: string };

const sendSeconds = 180;

/** Sends messages in turn by curl's SMTP; with a login by STARTTLS and AUTH. */
export async function sendByCurl(target: Target, messages: readonly Buffer[], login?: Login): Promise<void> {
  const files = writeFiles(target.folder, "curl", messages);
  const secure = login === undefined ? [] : ["ssl-reqd", ...loginLines(login)];
  const fixed = [
    `url = "smtp://localhost:${target.port}/client.e2e.test"`,
    `mail-from = "${target.from}"`,
    `mail-rcpt = "${target.to}"`,
    ...secure,
  ];
  const transfers = files.map((file) => [...fixed, `upload-file = "${file}"`]);
  await curl(target.folder, "send.curlrc", transfers);
}

/** Fetches messages 1 to `count` by curl in one session after another and gives them in order. */
export async function fetchByCurl(
  url: string,
  { folder, login, count, secure }: { folder: string; login: Login; count: number; secure: "implicit" | "starttls" },
): Promise<string[]> {
  const files = Array.from({ length: count }, (_, index) => path.join(folder, `${secure}-${index + 1}`));
  const fixed = [...(secure === "starttls" ? ["ssl-reqd"] : []), ...loginLines(login)];
  const transfers = files.map((file, index) => [...fixed, `url = "${url}/${index + 1}"`, `output = "${file}"`]);
  await curl(folder, `fetch-${secure}.curlrc`, transfers);
  return files;
}

/** Sends messages in turn by Python's smtplib.LMTP. */
export async function sendByPython(target: Target, messages: readonly Buffer[]): Promise<void> {
  const files = writeFiles(target.folder, "python", messages);
  const program = path.join(repository, "test/e2e/programs/send-lmtp.py");
  await mustRun("python3", [program, String(target.port), target.from, target.to, ...files], { seconds: sendSeconds });
}

/** Sends messages in turn on a raw connection by BDAT, cut into chunks at places that the seed chooses. */
export async function sendByChunks(target: Target, messages: readonly Buffer[], seed: number): Promise<void> {
  const random = new Random(seed);
  await using session = await Smtp.open(target.port);
  assert.ok(session.extensions.includes("CHUNKING"), "CHUNKING is announced");
  for (const octets of messages) {
    const chunks = Array.from({ length: random.between(0, 4) }, () => random.between(1, octets.length + 1));
    const [reply] = await session.bdat(target.from, [target.to], octets, chunks);
    assert.equal(reply?.code, 250, JSON.stringify(reply));
  }
  await session.quit();
}

function writeFiles(folder: string, prefix: string, messages: readonly Buffer[]): string[] {
  return messages.map((octets, index) => {
    const file = path.join(folder, `${prefix}-${index}.eml`);
    writeFileSync(file, octets);
    return file;
  });
}

function loginLines({ user, password, certificate }: Login): string[] {
  return [`user = "${user}:${password}"`, `cacert = "${certificate}"`];
}

/** One run of curl for many transfers: `next` parts them, so that each has its own options. */
async function curl(folder: string, name: string, transfers: readonly (readonly string[])[]): Promise<void> {
  const file = path.join(folder, name);
  writeFileSync(file, `${transfers.map((options) => options.join("\n")).join("\nnext\n")}\n`);
  const end = await mustRun("curl", ["--silent", "--show-error", "--fail-early", "-K", file], { seconds: sendSeconds });
  assert.equal(end.stderr, "", "curl has no complaint");
}
