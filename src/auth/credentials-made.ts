import { err, ok, type Result } from "../lib/result.ts";
import { Secret } from "../lib/secret.ts";
import type { Address } from "../model/address.ts";
import { appPasswordDigest, newAppPassword, showAppPassword } from "./app-password.ts";
import type { PasswordProblem, Passwords } from "./password.ts";
import { createScramSeal, deriveScramKeys, ownerOf, ownerOfAppPassword } from "./scram-keys.ts";
import { scramSalt } from "./scram.ts";
import type { HouseKeys } from "./secret-key.ts";

/** What one password yields: NewAccount.secret and Account.scram. */
export type MadeCredentials = { readonly secret: string; readonly scram: Uint8Array };

/** A new app password. `text` is shown once and kept nowhere. */
export type MadeAppPassword = { readonly text: Secret; readonly digest: Uint8Array; readonly scram: Uint8Array };

/** Makes what is kept of passwords. */
export type CredentialMaker = {
  makeCredentials(
    address: Address,
    password: Secret,
  ): Promise<Result<MadeCredentials, PasswordProblem | "unavailable">>;
  makeAppPassword(address: Address): Promise<MadeAppPassword>;
};

export type CredentialMakerOptions = {
  readonly passwords: Pick<Passwords, "hashPassword" | "scramKeys">;
  readonly keys: HouseKeys;
};

/** Makes a maker of credentials. */
export function createCredentialMaker({ passwords, keys }: CredentialMakerOptions): CredentialMaker {
  const seal = createScramSeal(keys);
  return {
    async makeCredentials(address, password) {
      const secret = await passwords.hashPassword(password);
      if (!secret.ok) return secret;
      const scram = await passwords.scramKeys(password, scramSalt(keys, address), "");
      if (!scram.ok) return err("unavailable");
      return ok({ secret: secret.value, scram: seal.seal(scram.value, ownerOf(address)) });
    },
    async makeAppPassword(address) {
      const octets = newAppPassword();
      const shown = showAppPassword(octets);
      const digest = appPasswordDigest(keys, address, octets);
      const salt = scramSalt(keys, address);
      // A client that proves cannot be asked what it typed: the two forms that people copy.
      const forms = [shown, shown.replaceAll("-", "")];
      const scram = await Promise.all(forms.map((form) => deriveScramKeys(form, salt)));
      return { text: new Secret(shown), digest, scram: seal.seal(scram, ownerOfAppPassword(address, digest)) };
    },
  };
}
