import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cleanEnvironment } from "../../test/e2e/harness/installation.ts";
import { mustRun, start } from "../../test/e2e/harness/process.ts";
import { mainFile } from "../../test/e2e/harness/repository.ts";
import { until } from "../../test/e2e/harness/wait.ts";

/** Where the guide's server is, and who its reader is. */
export const HOST = "mail.example.com";
export const ADDRESS = "alice@example.com";

/** The guide's server: with the ports of the standards, and a certificate of an authority that clients trust. */
export type GuideServer = {
  /** The authority's certificate, base64 of DER. */
  readonly authority: string;
  /** An app password with --no-delete. */
  readonly password: string;
};

const CONFIGURATION = `server: { hostname: ${HOST}, data_directory: data }
tls: { certificate: server.pem, key: server.key }
listeners:
  - { protocol: pop3, address: "127.0.0.1:110" }
  - { protocol: pop3, address: "127.0.0.1:995", tls: implicit }
  - { protocol: smtp, address: "127.0.0.1:25" }
  - { protocol: submission, address: "127.0.0.1:587" }
`;

/** Starts the guide's server, with one user and some mail. */
export async function startGuideServer(stack: AsyncDisposableStack, folder: string): Promise<GuideServer> {
  mkdirSync(folder);
  await makeCertificates(folder);
  writeFileSync(path.join(folder, "mailkeep.yaml"), CONFIGURATION);
  const run = commandIn(folder);
  await run(["domain", "add", "example.com"]);
  await run(["user", "add", ADDRESS, "--password-stdin"], "a password that nobody uses");
  const made = await run(["app-password", "add", ADDRESS, "--name", "archive", "--no-delete", "--json"]);
  await startServer(stack, folder, 995);
  for (const subject of ["Minutes of Monday", "Train to Hamburg", "Photos"]) await send(subject);
  const pem = readFileSync(path.join(folder, "authority.pem"), "utf8");
  const { password } = JSON.parse(made) as { password: string };
  return { authority: pem.replaceAll(/-----.*-----|\s/g, ""), password };
}

/** Starts a server as `npm start` does: no configuration, a certificate of its own making. */
export async function startFirstRun(stack: AsyncDisposableStack, folder: string): Promise<void> {
  mkdirSync(folder);
  await startServer(stack, folder, 1995);
}

async function startServer(stack: AsyncDisposableStack, folder: string, port: number): Promise<void> {
  const child = start(process.execPath, [mainFile, "serve"], {
    cwd: folder,
    env: cleanEnvironment({}),
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack.defer(() => void child.kill());
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
  await until(`the server on port ${port}`, 30, () => said.includes("server.ready") && said.includes(`:${port}`));
}

function commandIn(folder: string): (words: readonly string[], input?: string) => Promise<string> {
  const options = { cwd: folder, env: cleanEnvironment({}) };
  return async (words, input = "") => {
    return (await mustRun(process.execPath, [mainFile, ...words], { ...options, input })).text;
  };
}

async function send(subject: string): Promise<void> {
  const head = [`From: Bob <bob@example.org>`, `To: Alice <${ADDRESS}>`, `Subject: ${subject}`];
  const input = [...head, `Date: ${new Date().toUTCString()}`, "", "Hello Alice,", "", "see you there.", ""].join(
    "\r\n",
  );
  const words = ["smtp://127.0.0.1:25", "--mail-from", "bob@example.org", "--mail-rcpt", ADDRESS, "--upload-file", "-"];
  await mustRun("curl", ["--silent", "--show-error", ...words], { input });
}

async function makeCertificates(folder: string): Promise<void> {
  const file = (name: string): string => path.join(folder, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
  const authority = ["-subj", "/CN=Authority of the pictures", "-out", file("authority.pem")];
  await mustRun("openssl", ["req", "-x509", ...key, ...authority, "-keyout", file("authority.key")]);
  const signed = ["-CA", file("authority.pem"), "-CAkey", file("authority.key"), "-out", file("server.pem")];
  const names = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`];
  const leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
  await mustRun("openssl", ["req", "-x509", ...key, ...names, ...leaf, ...signed, "-keyout", file("server.key")]);
}
