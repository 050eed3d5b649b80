import { hash } from "@node-rs/argon2";
import { createLimiter } from "../lib/limiter.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Secret } from "../lib/secret.ts";
import type { Metrics } from "../observe/metrics-port.ts";
import { createHasherThread } from "./hasher-thread.ts";
import { prepareToCompare, prepareToKeep } from "./prepare.ts";
import type { Check } from "./schemes/scheme.ts";
import { parseStored } from "./schemes/parse.ts";
import { deriveScramKeys, type ScramKeys } from "./scram-keys.ts";

/** Octets a password may have: as many as PLAIN carries (rule SASL-05), so that what is set can be typed at every door. */
export const PASSWORD_OCTETS = 255;

/** Why a text cannot be set as a password. "prohibited-characters": SASLprep refuses it (RFC 4013 §2.3 to §2.5). */
export type PasswordProblem = "empty" | "too-long" | "control-characters" | "prohibited-characters";

/** Makes and checks stored secrets, with bounded work and a bounded queue that is fair between networks. */
export type Passwords = AsyncDisposable & {
  /** The stored form (argon2id) of a new password, prepared. */
  hashPassword(password: Secret): Promise<Result<string, PasswordProblem | "unavailable">>;
  /**
   * Whether a stored secret is this password's: its octets as sent, as imported hashes may be of them, else its prepared
   * form (rule SASL-05). `network` is who waits for it in the queue.
   */
  verify(stored: string, password: Secret, network: string): Promise<Result<boolean, "unavailable">>;
  /** SCRAM keys of a password: prepared, as clients have to, and as it is where that differs, as many do. */
  scramKeys(password: Secret, salt: Uint8Array, network: string): Promise<Result<readonly ScramKeys[], "unavailable">>;
};

export type PasswordOptions = {
  readonly metrics: Metrics;
  /** Hashes at a time in this thread; they share libuv's pool with asynchronous reads. */
  readonly concurrency: number;
  /** Checks that may wait for a hasher; more are "unavailable". */
  readonly queue: number;
};

// OWASP's choice for argon2id, some 13 ms here: algorithm 2 is Argon2id.
const ARGON2 = { algorithm: 2, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
const QUEUE_MS = 5_000;
/** From the question to the answer, the queue included. */
const DEADLINE_MS = 10_000;
const IDLE_MS = 30_000;

const CONTROLS = /\p{Cc}/u;

/** What is wrong with a password to be set. */
export function passwordProblem(password: Secret): PasswordProblem | undefined {
  const text = password.reveal();
  if (text === "") return "empty";
  if (Buffer.byteLength(text) > PASSWORD_OCTETS) return "too-long";
  if (CONTROLS.test(text)) return "control-characters";
  const prepared = prepareToKeep(text);
  if (prepared === undefined) return "prohibited-characters";
  return Buffer.byteLength(prepared) > PASSWORD_OCTETS ? "too-long" : undefined;
}

/**
 * Whether a text can be nobody's password, whatever is stored: an imported hash may be of any characters that pass PLAIN or
 * PASS, which NUL and line ends do not.
 */
export function isNobodysPassword(password: Secret): boolean {
  const text = password.reveal();
  return text === "" || Buffer.byteLength(text) > PASSWORD_OCTETS || CONTROLS.test(text);
}

/** Makes the hasher of one thread. Disposing of it ends its own thread, if there is one. */
export function createPasswords({ metrics, concurrency, queue }: PasswordOptions): Passwords {
  const hashes = metrics.counter("mailkeep_password_hashes_total", "hashed");
  const waiting = metrics.gauge("mailkeep_password_queue");
  const lane = { queue, waitMs: QUEUE_MS, waitingChanged: (delta: 1 | -1) => waiting.add(delta) };
  const pool = createLimiter({ ...lane, concurrency });
  const single = createLimiter({ ...lane, concurrency: 1 });
  const thread = createHasherThread({ deadlineMs: DEADLINE_MS - QUEUE_MS, idleMs: IDLE_MS });

  async function run(check: Check, stored: string, password: Buffer, network: string) {
    if (check.where === "here") return ok(check.verify(password));
    if (check.where === "pool") return pool.run(network, () => check.verify(password));
    return single.run(network, () => thread.verify(stored, password));
  }

  async function tryForms(check: Check, stored: string, password: Secret, network: string) {
    for (const form of formsOf(password)) {
      hashes.add();
      const right = await run(check, stored, Buffer.from(form, "utf8"), network);
      if (!right.ok || right.value) return right;
    }
    return ok(false);
  }

  return {
    async hashPassword(password) {
      const problem = passwordProblem(password);
      if (problem) return err(problem);
      const prepared = prepareToKeep(password.reveal()) ?? "";
      return answer(pool.run("", () => hash(prepared, ARGON2)));
    },
    async verify(stored, password, network) {
      // An empty password is nobody's, also where an imported hash is that of the empty text.
      if (isNobodysPassword(password)) return ok(false);
      const check = parseStored(stored);
      // What cannot be read is an outage for the operator to mend; it says nothing about the password.
      if (!check.ok) return err("unavailable");
      return answer(tryForms(check.value, stored, password, network));
    },
    async scramKeys(password, salt, network) {
      return answer(
        pool.run(network, async () => {
          const keys: ScramKeys[] = [];
          for (const form of formsOf(password).toReversed()) keys.push(await deriveScramKeys(form, salt));
          return keys;
        }),
      );
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}

/** As typed, and prepared where that is another text. */
function formsOf(password: Secret): readonly string[] {
  const text = password.reveal();
  const prepared = prepareToCompare(text);
  return prepared === undefined || prepared === text ? [text] : [text, prepared];
}

/** The answer in time, or "unavailable". What is late keeps its place in the limiter until it has really ended. */
async function answer<T>(work: Promise<Result<T, unknown>>): Promise<Result<T, "unavailable">> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, DEADLINE_MS, undefined);
  try {
    const result = await Promise.race([work, late]);
    return result?.ok ? result : err("unavailable");
  } catch {
    // The library or the thread failed: an outage, which the caller logs and counts.
    return err("unavailable");
  } finally {
    clearTimeout(timer);
  }
}
