import * as z from "zod";
import { optionMeta, type OptionMeta, type Words } from "./option.ts";
import type { Path } from "./path.ts";
import { schema } from "./schema.ts";
import { sectionHelp } from "./section.ts";

/** One option with its place; `*` stands for any number of a list. A group stands before the options in it. */
export type OptionEntry = {
  readonly path: readonly string[];
  readonly type: z.core.$ZodType;
  readonly meta: OptionMeta;
  /** As it would be written in the file; undefined: there is none. */
  readonly fallback: string | number | boolean | undefined;
};

/** A section of the file with its options, in the order of the schema. */
export type SectionEntry = {
  readonly name: string;
  readonly help: Words;
  readonly list: boolean;
  readonly type: z.core.$ZodType;
  readonly options: readonly OptionEntry[];
};

/** Every section with every option, read from the schema once. */
export const sections: readonly SectionEntry[] = Object.entries(schema.shape).map(([name, type]) => {
  const { list } = innermost(type);
  const help = sectionHelp.get(type)?.help ?? { en: "", zh: "" };
  return { name, help, list, type, options: optionsIn(type, [name]) };
});

/** Every option in one list. */
export const options: readonly OptionEntry[] = sections.flatMap((section) => section.options);

/** The option that a path is or lies in; undefined: a section, a member of a list, or nothing known. */
export function optionAt(path: Path): OptionEntry | undefined {
  return options.find(
    ({ path: own, meta }) =>
      own.every((step, index) => matches(step, path[index])) &&
      (meta.group === undefined || own.length === path.length),
  );
}

/** The keys that may stand in the map at a path. */
export function keysAt(path: Path): readonly string[] {
  if (path.length === 0) return sections.map(({ name }) => name);
  const inside = options.filter(
    ({ path: own }) => own.length === path.length + 1 && path.every((step, index) => matches(own[index], step)),
  );
  return inside.map(({ path: own }) => own.at(-1) ?? "");
}

function matches(own: string | undefined, step: string | number | undefined): boolean {
  return own === "*" ? typeof step === "number" : own === step;
}

function optionsIn(type: z.core.$ZodType, path: readonly string[]): readonly OptionEntry[] {
  const { shape, list } = innermost(type);
  return Object.entries(shape).flatMap(([key, option]): OptionEntry[] => {
    const meta = optionMeta.get(option);
    if (meta === undefined) throw new Error(`${[...path, key].join(".")} was made without help`);
    const own = list ? [...path, "*", key] : [...path, key];
    const entry = { path: own, type: option, meta, fallback: fallbackOf(option) };
    return meta.group === undefined ? [entry] : [entry, ...optionsIn(option, own)];
  });
}

// Zod wraps types for defaults, checks and transforms; the map of keys is the innermost.
function innermost(type: z.core.$ZodType): { shape: Readonly<Record<string, z.core.$ZodType>>; list: boolean } {
  if (type instanceof z.ZodObject) return { shape: type.shape, list: false };
  if (type instanceof z.ZodArray) return { ...innermost(type.element), list: true };
  if (type instanceof z.ZodPipe) return innermost(type.in);
  if (type instanceof z.ZodPrefault || type instanceof z.ZodOptional) return innermost(type.unwrap());
  throw new Error("a section of the schema has a type that is not known here");
}

function fallbackOf(type: z.core.$ZodType): string | number | boolean | undefined {
  const value = type instanceof z.ZodPrefault ? type.def.defaultValue : undefined;
  return typeof value === "object" ? undefined : (value as string | number | boolean | undefined);
}
