import type * as z from "zod";
import type { Result } from "../lib/result.ts";
import type { Call, Operation } from "./operation.ts";
import { operations, type Admin, type OperationName, type OutputOf } from "./operations.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { AdminServices } from "./services.ts";

/** Runs one operation on input that is not trusted yet. What nobody can handle ends here, as a refusal that says why. */
export async function perform(name: string, input: unknown, call: Call): Promise<Result<unknown, Refusal>> {
  if (!Object.hasOwn(operations, name)) return refuse("unknown-operation", name);
  const row = operations[name as OperationName] as unknown as Operation<z.ZodType, unknown>;
  const parsed = row.input.safeParse(input);
  if (!parsed.success) return refuse("bad-input", name, { detail: describe(parsed.error) });
  try {
    return await row.run(parsed.data, call);
  } catch (cause) {
    return refuse("failed", "", { detail: cause instanceof Error ? cause.message : String(cause) });
  }
}

/** Administration by these services, in this process. */
export function localAdmin(services: AdminServices): Admin {
  return {
    async call(name, input, options = {}) {
      const { progress = ignore, signal = new AbortController().signal } = options;
      const result = await perform(name, input, { services, signal, progress });
      return result as Result<OutputOf<typeof name>, Refusal>;
    },
  };
}

function ignore(): void {
  // Nobody follows.
}

// The values are left out: one of them may be a password.
function describe(error: z.ZodError): string {
  return error.issues.map(({ path, code }) => `${path.join(".")}: ${code}`).join("; ");
}
