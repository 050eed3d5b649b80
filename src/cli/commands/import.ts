import { readFile } from "node:fs/promises";
import path from "node:path";
import type { ImportProblem, Refusal } from "../../admin/refusal.ts";
import { whyUnreadable } from "../../config/unreadable.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { answer, Failure, type Context, type Given } from "../context.ts";
import { progressLine } from "../progress.ts";
import { parseImport } from "../import-lines.ts";

const FILE_OCTETS = 64 * 1024 * 1024;

/** `mailkeep user import FILE|-` */
export async function importUsers(context: Context, { words: [file = ""] }: Given): Promise<number> {
  const entries = parseImport(await readText(context, file));
  const result = await withAdmin(context, (admin) =>
    admin.call("user.import", { entries }, { progress: progressLine(context.world.stderr, context.say) }),
  );
  if (!result.ok) listProblems(context, result.error);
  const { added } = valueOf(context, result);
  answer(context, { added }, () => context.say("user.imported", { count: added }));
  return 0;
}

async function readText({ world, say, language }: Context, file: string): Promise<string> {
  const refuse = (cause: unknown): never => {
    throw new Failure(say("import.unreadable", { file, reason: whyUnreadable(cause).reason[language] }));
  };
  const source = file === "-" ? undefined : path.resolve(world.directory, file);
  const octets = await readOctets(source, world.stdin).catch(refuse);
  if (octets === undefined) throw new Failure(say("import.too-large", { file }));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch (cause) {
    return refuse(cause);
  }
}

async function readOctets(file: string | undefined, stdin: AsyncIterable<unknown>): Promise<Uint8Array | undefined> {
  if (file !== undefined) {
    const octets = await readFile(file);
    return octets.length > FILE_OCTETS ? undefined : octets;
  }
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of stdin) {
    const buffer = Buffer.from(piece as Uint8Array | string);
    total += buffer.length;
    if (total > FILE_OCTETS) return undefined;
    pieces.push(buffer);
  }
  return Buffer.concat(pieces);
}

function listProblems({ world, say, json }: Context, { problems = [] }: Refusal): void {
  if (json) return;
  for (const problem of problems) world.stderr.write(`${describe(problem, say)}\n`);
}

function describe({ line, address, code, detail = "" }: ImportProblem, say: Context["say"]): string {
  const reason = say(`import.${code}`, { detail });
  return address === "" ? say("import.line-alone", { line, reason }) : say("import.line", { line, address, reason });
}
