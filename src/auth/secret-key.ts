import { hkdfSync, randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { err, ok, type Result } from "../lib/result.ts";

/**
 * The one secret that is kept outside the database, so that a stolen database alone opens nothing: what a SCRAM proof or an
 * app password is checked against cannot be read or made without it.
 */
export type SecretKey = {
  readonly octets: Uint8Array;
  /** Whether it was made just now; then nothing that an older one sealed can be read. */
  readonly made: boolean;
};

/** `reason` is a sentence for the operator. "unreadable" and "wrong-size": a file is there, and it is never replaced. */
export type SecretKeyProblem = {
  readonly kind: "unreadable" | "wrong-size" | "not-written";
  readonly reason: string;
};

/** Keys for one purpose each, derived from the secret key. */
export type HouseKeys = {
  /** Salts of SCRAM. */
  readonly scramSalt: Uint8Array;
  /** AES-256 for SCRAM keys. */
  readonly scramSeal: Uint8Array;
  /** App passwords' digests. */
  readonly appPassword: Uint8Array;
  /** Four octets by which what was sealed is known to be sealed by these keys; they tell nothing about them. */
  readonly id: Uint8Array;
};

/** The secret key's file, in the data folder. */
export const SECRET_KEY_FILE = "secrets.key";

const OCTETS = 32;

/** Opens the secret key of a data folder, or makes it: on stable storage before anything is sealed by it. */
export async function openSecretKey(folder: string): Promise<Result<SecretKey, SecretKeyProblem>> {
  const file = path.join(folder, SECRET_KEY_FILE);
  try {
    const octets = await readFile(file);
    if (octets.length === OCTETS) return ok({ octets, made: false });
    const reason = `${file} has ${octets.length} octets where a key has ${OCTETS}: restore it from a backup`;
    return err({ kind: "wrong-size", reason });
  } catch (error) {
    if (codeOf(error) !== "ENOENT")
      return err({ kind: "unreadable", reason: `${file} cannot be read: ${codeOf(error)}` });
  }
  try {
    return ok({ octets: await makeKey(folder, file), made: true });
  } catch (error) {
    return err({ kind: "not-written", reason: `${file} cannot be written: ${codeOf(error)}` });
  }
}

/** Derives the keys of each purpose (HKDF, RFC 5869). */
export function deriveHouseKeys(secret: Uint8Array): HouseKeys {
  const derive = (purpose: string, octets = OCTETS): Uint8Array => {
    return new Uint8Array(hkdfSync("sha256", secret, "", `mailkeep ${purpose} 1`, octets));
  };
  return {
    scramSalt: derive("scram salt"),
    scramSeal: derive("scram seal"),
    appPassword: derive("app password"),
    id: derive("key id", 4),
  };
}

/** Written under another name first: a crash leaves the whole key or none. */
async function makeKey(folder: string, file: string): Promise<Uint8Array> {
  const octets = randomBytes(OCTETS);
  const unfinished = `${file}.new`;
  await rm(unfinished, { force: true });
  {
    await using handle = await open(unfinished, "wx", 0o600);
    await handle.writeFile(octets);
    await handle.sync();
  }
  await rename(unfinished, file);
  await using directory = await open(folder, "r");
  await directory.sync();
  return octets;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
