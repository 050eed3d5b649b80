import type { Result } from "../../lib/result.ts";
import type { Secret } from "../../lib/secret.ts";

/** What an imported secret is: a hash that is stored as it is, or a password still to be hashed. */
export type ImportedSecret =
  | { readonly kind: "hash"; readonly scheme: string; readonly stored: string }
  | { readonly kind: "password"; readonly password: Secret };

/** Why a secret cannot be imported, in words for the operator; never with the secret in them. */
export type SecretProblem = {
  readonly code: "empty" | "unknown-scheme" | "refused-scheme" | "malformed" | "too-costly";
  readonly words: string;
};

/** Parses the secret of an import line: `{SCHEME}…` or a crypt string `$id$…`. */
export function parseSecret(text: string): Result<ImportedSecret, SecretProblem> {
  throw new Error(`not built yet: ${text.length}`);
}
