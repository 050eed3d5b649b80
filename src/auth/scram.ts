import { createHmac, randomBytes } from "node:crypto";
import { type Address, type Domain, splitAddress } from "../model/address.ts";
import type { Peer } from "../model/peer.ts";
import type { Directory } from "../store/ports.ts";
import type { ScramFacts, ScramQuestion } from "./engine/mechanism.ts";
import { preparedBase, readName } from "./name.ts";
import { SCRAM_ITERATIONS } from "./scram-keys.ts";
import type { HouseKeys } from "./secret-key.ts";

/** Answers what a SCRAM exchange asks before its proof. */
export type Scram = (question: ScramQuestion, peer: Peer) => Promise<ScramFacts>;

export type ScramOptions = {
  readonly directory: Pick<Directory, "domains">;
  readonly keys: Pick<HouseKeys, "scramSalt">;
  readonly defaultDomain: () => Domain | undefined;
};

const SALT_OCTETS = 16;
/** 144 bits, in base64: printable, and no comma. */
const NONCE_OCTETS = 18;

/**
 * Makes the answers. Salt and count are of the name alone, so that nobody has to look whether there is such an account, and
 * nobody can find out by them (rule SCRAM-01).
 */
export function createScram({ directory, keys, defaultDomain }: ScramOptions): Scram {
  return async ({ user }) => {
    const name = await readName(user, defaultDomain(), directory);
    // What is no address gets the salt of an impossible one.
    const salt = name ? saltFor(keys, name.parts.base) : saltFor(keys, `(not an address) ${user}`);
    return { salt, iterations: SCRAM_ITERATIONS, nonce: randomBytes(NONCE_OCTETS).toString("base64") };
  };
}

/** The salt of all credentials of an account. */
export function scramSalt(keys: Pick<HouseKeys, "scramSalt">, address: Address): Uint8Array {
  return saltFor(keys, preparedBase(splitAddress(address)));
}

// `user+tag` may be user or an account of its own: it has user's salt either way, or the salt would tell.
function saltFor(keys: Pick<HouseKeys, "scramSalt">, base: string): Uint8Array {
  return createHmac("sha256", keys.scramSalt).update(base).digest().subarray(0, SALT_OCTETS);
}
