import { loadOptionsOf, loadOrFail } from "../configuration.ts";
import type { Context } from "../context.ts";

/** `mailkeep serve` */
export async function serve(context: Context): Promise<number> {
  const loaded = await loadOrFail(context);
  return context.world.ports.serve({ loaded, loadOptions: loadOptionsOf(context) });
}
