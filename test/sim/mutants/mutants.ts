import type { Mutant } from "./mutant.ts";
import { diskMutants } from "./mutants-of-the-disk.ts";
import { mailMutants } from "./mutants-of-mail.ts";

/** All of them. */
export const mutants: readonly Mutant[] = [...diskMutants, ...mailMutants];

/** One by its name. */
export function mutantOf(name: string): Mutant {
  const found = mutants.find((mutant) => mutant.name === name);
  if (found === undefined)
    throw new Error(`there is no mutant ${name}: ${mutants.map((each) => each.name).join(", ")}`);
  return found;
}
