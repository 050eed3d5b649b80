import type { Readable } from "node:stream";
import { Failure, UsageError, type Context } from "./context.ts";

/** Far more than any password; what is longer is a wrong file. */
const STDIN_OCTETS = 65_536;

/** A password from standard input or from a prompt that does not show it; never from the command line. */
export async function readPassword(context: Context, address: string, fromStdin: boolean): Promise<string> {
  const { world, say } = context;
  if (!fromStdin && world.stdin.isTTY !== true) throw new UsageError(say("usage.no-terminal"));
  const password = fromStdin ? await readLine(context, world.stdin) : await ask(context, address);
  if (password === "") throw new Failure(say("refusal.empty-password"), { code: "empty-password" });
  return password;
}

async function readLine({ say }: Context, stdin: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let octets = 0;
  for await (const piece of stdin) {
    const buffer = Buffer.from(piece as Uint8Array | string);
    octets += buffer.length;
    if (octets > STDIN_OCTETS) throw new Failure(say("refusal.too-long-password"), { code: "too-long-password" });
    pieces.push(buffer);
  }
  try {
    // One line end belongs to `echo` and to editors. What is no UTF-8 must not become another password.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(pieces))
      .replace(/\r?\n$/, "");
  } catch {
    throw new Failure(say("refusal.not-utf8-password"), { code: "not-utf8-password" });
  }
}

async function ask(context: Context, address: string): Promise<string> {
  const { world, say } = context;
  const { password: prompt, isCancel } = await import("@clack/prompts");
  const streams = { input: world.stdin, output: world.stderr };
  const first = await prompt({
    ...streams,
    message: say("ask.password", { address }),
    validate: (value) => (value === undefined || value === "" ? say("ask.empty") : undefined),
  });
  if (isCancel(first)) throw new Failure(say("ask.cancelled"));
  const second = await prompt({
    ...streams,
    message: say("ask.again"),
    validate: (value) => (value === first ? undefined : say("ask.differ")),
  });
  if (isCancel(second)) throw new Failure(say("ask.cancelled"));
  return first;
}

/** Asks before what cannot be undone; without a terminal the command itself was the decision. */
export async function confirm({ world, say }: Context, question: string): Promise<void> {
  if (world.stdin.isTTY !== true) return;
  const { confirm: prompt } = await import("@clack/prompts");
  const agreed = await prompt({ input: world.stdin, output: world.stderr, message: question, initialValue: false });
  if (agreed !== true) throw new Failure(say("ask.cancelled"));
}
