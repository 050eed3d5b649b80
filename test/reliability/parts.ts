import { parseArgs } from "node:util";
import type { Figures } from "./figures.ts";
import { reportFigures } from "./figures.ts";

/** How a part is run: options as they were typed, without their dashes. */
export type PartOptions = Readonly<Record<string, string | boolean | undefined>>;

/** One of the proofs: throws when a promise was broken, else gives its figures. */
export type Part = (options: PartOptions) => Promise<Figures>;

/** A command of several parts: runs the one that its first word names and prints its figures; `--write` keeps them. */
export async function runParts(name: string, parts: Readonly<Record<string, () => Promise<Part>>>): Promise<void> {
  const { positionals, tokens } = parseArgs({ strict: false, allowPositionals: true, tokens: true });
  const part = parts[positionals[0] ?? ""];
  if (part === undefined) {
    console.error(`${name}: which one? ${Object.keys(parts).join(", ")}`);
    console.error(`for example: npm run ${name} -- ${Object.keys(parts)[0]}`);
    process.exitCode = 2;
    return;
  }
  const options = Object.fromEntries(optionsOf(tokens));
  reportFigures(await (await part())(options), options["write"] === true);
}

type Token = {
  readonly kind: string;
  readonly name?: string;
  readonly value?: string | undefined;
  readonly index: number;
};

// A word behind `--name` is its value, as in `--kills 200`.
function* optionsOf(tokens: readonly Token[]): Generator<readonly [string, string | true]> {
  for (const [index, { kind, name = "", value }] of tokens.entries()) {
    if (kind !== "option") continue;
    const next = tokens[index + 1];
    yield [name, value ?? (next?.kind === "positional" ? (next.value ?? true) : true)];
  }
}
