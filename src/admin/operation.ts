import type * as z from "zod";
import type { Result } from "../lib/result.ts";
import type { Refusal } from "./refusal.ts";
import type { AdminServices } from "./services.ts";

/** How far a long operation is. */
export type Progress = { readonly done: number; readonly total: number };

/** What an operation is handed besides its input. */
export type Call = {
  readonly services: AdminServices;
  /** Aborted when whoever asked is gone; an operation stops before its commit, never in it. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
};

/** One administrative operation: what it takes, and what it does. Its answer is plain JSON. */
export type Operation<Input extends z.ZodType, Output> = {
  readonly input: Input;
  run(input: z.output<Input>, call: Call): Promise<Result<Output, Refusal>>;
};

/** Ties an operation's input to its handler. */
export function operation<Input extends z.ZodType, Output>(
  input: Input,
  run: (input: z.output<Input>, call: Call) => Promise<Result<Output, Refusal>>,
): Operation<Input, Output> {
  return { input, run };
}
