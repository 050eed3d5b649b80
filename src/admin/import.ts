import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { MadeCredentials } from "../auth/credentials-made.ts";
import { PASSWORD_OCTETS, passwordProblem, type PasswordProblem } from "../auth/password.ts";
import { parseSecret, type ImportedSecret, type SecretProblem } from "../auth/schemes/parse.ts";
import { ok, type Result } from "../lib/result.ts";
import type { Secret } from "../lib/secret.ts";
import { parseAddress, splitAddress, type Address } from "../model/address.ts";
import type { NewAccount } from "../store/ports.ts";
import { operation, type Call } from "./operation.ts";
import { refusalOfPassword, refuse, refuseWrite, type ImportProblem, type Refusal } from "./refusal.ts";
import type { AdminServices } from "./services.ts";

/** More than this many users go in several files: they are held in memory and committed in one transaction. */
export const IMPORT_ENTRIES = 200_000;

// So few that people who log in meanwhile get their turn.
const HASHES_AT_ONCE = 2;
const BUSY_PAUSE_MS = 500;
const BUSY_PAUSES = 60;

type Given = { readonly line: number; readonly address: string; readonly secret: string | null };
type Entry = { readonly line: number; readonly address: Address; readonly secret: ImportedSecret };

/** Adds many users at once, all or none; every line that cannot be taken is reported. */
export const importUsers = operation(
  z.strictObject({
    entries: z
      .array(
        z.strictObject({
          line: z.int().positive(),
          address: z.string().max(1024),
          // null: the line has none.
          secret: z.string().max(8192).nullable(),
        }),
      )
      .max(IMPORT_ENTRIES),
  }),
  async ({ entries: given }, call) => {
    const { services, signal } = call;
    const { entries, problems: unread } = parseEntries(given);
    const problems = [...unread, ...(await knownProblems(services, entries))];
    if (problems.length > 0) return refuseAll(problems);
    const made = await makeAll(entries, call);
    if (!made.ok) return made;
    const accounts = entries.map(({ address }, index): NewAccount => {
      const quota = { octets: null, messages: null };
      return { address, secret: "", ...made.value[index], enabled: true, quota };
    });
    signal.throwIfAborted();
    const added = await services.store.directory.addAccounts(accounts, services.clock.now());
    if (!added.ok) return refuseInsertion(added.error, entries);
    for (const { address } of entries) services.log.info("admin.change", { action: "user.import", subject: address });
    return ok({ added: entries.length });
  },
);

function parseEntries(given: readonly Given[]): {
  readonly entries: readonly Entry[];
  readonly problems: readonly ImportProblem[];
} {
  const entries: Entry[] = [];
  const problems: ImportProblem[] = [];
  const seen = new Map<Address, number>();
  for (const { line, address: text, secret: secretText } of given) {
    const complain = (code: ImportProblem["code"], detail?: string): void => {
      problems.push({ line, address: text, code, ...(detail === undefined ? {} : { detail }) });
    };
    if (secretText === null) {
      complain("no-secret");
      continue;
    }
    const address = parseAddress(text);
    const secret = parseSecret(secretText);
    const problem = secret.ok ? problemOf(secret.value) : secret.error;
    const first = address.ok ? seen.get(address.value) : undefined;
    if (!address.ok) complain("bad-address");
    else if (first !== undefined) complain("repeated", String(first));
    else seen.set(address.value, line);
    if (problem !== undefined) complain(`secret-${problem.code}`, problem.words);
    if (address.ok && secret.ok) entries.push({ line, address: address.value, secret: secret.value });
  }
  return { entries, problems };
}

const wordsOfPassword: Readonly<Record<PasswordProblem, string>> = {
  empty: "the password is empty",
  "too-long": `more than ${PASSWORD_OCTETS} octets`,
  "control-characters": "control characters in the password",
  "prohibited-characters": "characters in the password that no client can be trusted to send as they are (SASLprep)",
};

function problemOf(
  secret: ImportedSecret,
): { readonly code: SecretProblem["code"] | PasswordProblem; readonly words: string } | undefined {
  const code = secret.kind === "password" ? passwordProblem(secret.password) : undefined;
  if (code === undefined) return undefined;
  return { code, words: wordsOfPassword[code] };
}

// Asked before the hashing, which takes minutes for thousands; the insertion decides.
async function knownProblems(services: AdminServices, entries: readonly Entry[]): Promise<readonly ImportProblem[]> {
  const { directory } = services.store;
  const domains = new Set(await directory.domains());
  const problems: ImportProblem[] = [];
  for (let start = 0; start < entries.length; start += 256) {
    const batch = entries.slice(start, start + 256);
    const accounts = await Promise.all(batch.map(({ address }) => directory.account(address)));
    batch.forEach(({ line, address }, index) => {
      const { domain } = splitAddress(address);
      if (!domains.has(domain)) problems.push({ line, address, code: "unknown-domain", detail: domain });
      if (accounts[index] !== undefined) problems.push({ line, address, code: "exists" });
    });
  }
  return problems;
}

type Made = { readonly secret: string; readonly scram: Uint8Array | null };

async function makeAll(entries: readonly Entry[], call: Call): Promise<Result<readonly Made[], Refusal>> {
  // A hash gets SCRAM keys at its first login with PLAIN.
  const made = entries.map(({ secret }): Made => ({
    secret: secret.kind === "hash" ? secret.stored : "",
    scram: null,
  }));
  const waiting = entries.flatMap(({ address, secret }, index) =>
    secret.kind === "password" ? [{ index, address, password: secret.password }] : [],
  );
  let next = 0;
  let done = 0;
  let failure: Refusal | undefined;
  const work = async (): Promise<void> => {
    for (let one = waiting[next]; one !== undefined && failure === undefined; one = waiting[next]) {
      next += 1;
      const credentials = await makePatiently(one.address, one.password, call);
      if (credentials.ok) made[one.index] = credentials.value;
      else failure = credentials.error;
      done += 1;
      call.progress({ done, total: waiting.length });
    }
  };
  await Promise.all(Array.from({ length: HASHES_AT_ONCE }, work));
  return failure === undefined ? ok(made) : { ok: false, error: failure };
}

// The hasher turns work away while many people log in; minutes of hashing are not thrown away for that.
async function makePatiently(
  address: Address,
  password: Secret,
  { services, signal }: Call,
): Promise<Result<MadeCredentials, Refusal>> {
  for (let pauses = 0; ; pauses += 1) {
    signal.throwIfAborted();
    const made = await services.makeCredentials(address, password);
    if (made.ok) return made;
    if (made.error !== "unavailable") return refuse(refusalOfPassword[made.error], address);
    if (pauses >= BUSY_PAUSES) return refuse("busy");
    await sleep(BUSY_PAUSE_MS, undefined, { signal });
  }
}

function refuseInsertion(
  error: { readonly index: number; readonly reason: "exists" | "no-domain" } | "full" | "failed",
  entries: readonly Entry[],
) {
  if (typeof error === "string") return refuseWrite(error, "");
  const entry = entries[error.index];
  const code = error.reason === "exists" ? "exists" : "unknown-domain";
  return refuseAll([{ line: entry?.line ?? 0, address: entry?.address ?? "", code }]);
}

function refuseAll(problems: readonly ImportProblem[]) {
  return refuse("import-refused", "", { problems: problems.toSorted((left, right) => left.line - right.line) });
}
