import * as z from "zod";
import type { Words } from "./option.ts";

/** What each section is about, by its zod type. */
export const sectionHelp = z.registry<{ readonly help: Words }>();

/** A part of the file that may be left out as a whole. */
export function section<Shape extends z.core.$ZodLooseShape>(help: Words, shape: Shape) {
  // All its options have defaults or are optional, which the type system cannot tell here.
  const type = z.strictObject(shape).prefault({} as z.input<z.ZodObject<Shape, z.core.$strict>>);
  type.register(sectionHelp, { help });
  return type;
}

/**
 * A check across keys that also runs when some of them are wrong, so that everything is reported at once. What is wrong
 * has been reported already and may be anything.
 */
export function always<T extends object>(check: (value: T, context: z.core.$RefinementCtx<T>) => void) {
  return z.superRefine<T>(check, { when: ({ value }) => typeof value === "object" && value !== null });
}
