import type { Result } from "../lib/result.ts";
import type { Secret } from "../lib/secret.ts";
import type { Metrics } from "../observe/metrics-port.ts";

/** Octets a password may have. */
export const PASSWORD_OCTETS = 1024;

/** Makes and checks stored secrets, with bounded work and a bounded queue that is fair between networks. */
export type Passwords = AsyncDisposable & {
  /** The stored form (argon2id) of a new password. */
  hashPassword(password: Secret): Promise<Result<string, "empty" | "too-long" | "unavailable">>;
  /** Whether a stored secret is this password's. `network` is who pays for it in the queue. */
  verify(stored: string, password: Secret, network: string): Promise<Result<boolean, "unavailable">>;
};

export type PasswordOptions = {
  readonly metrics: Metrics;
  /** argon2 at a time in this thread; they share libuv's pool with reads of files. */
  readonly concurrency: number;
};

/** Starts a hasher; dispose of it to end its thread. */
export function createPasswords(options: PasswordOptions): Passwords {
  throw new Error(`not built yet: ${options.concurrency}`);
}
