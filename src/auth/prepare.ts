import { createRequire } from "node:module";
import type { saslprep as Saslprep } from "@mongodb-js/saslprep";

/*
 * SASLprep (RFC 4013): forms of one text that look alike become one, and what nobody can type on purpose is refused.
 * undefined: it holds a prohibited character (§2.3), or writing directions are mixed (§2.4).
 */

/** Prepares what is to be kept (a "stored string"): code points that Unicode 3.2 does not know are refused too (§2.5). */
export function prepareToKeep(text: string): string | undefined {
  return prepare(text, false);
}

/** Prepares what is to be compared (a "query"). */
export function prepareToCompare(text: string): string | undefined {
  return prepare(text, true);
}

const load = createRequire(import.meta.url);
const UNCHANGED = /^[\x20-\x7e]+$/;

function prepare(text: string, allowUnassigned: boolean): string | undefined {
  if (UNCHANGED.test(text)) return text;
  try {
    // Its tables are 10 MiB a thread, and most texts are ASCII: it is loaded when the first other one comes.
    const { saslprep } = load("@mongodb-js/saslprep") as { readonly saslprep: typeof Saslprep };
    const prepared = saslprep(text, { allowUnassigned });
    return prepared === "" ? undefined : prepared;
  } catch {
    // The library's way to say no.
    return undefined;
  }
}
