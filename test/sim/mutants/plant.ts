import { registerHooks } from "node:module";
import type { Mutant } from "./mutant.ts";

/** Makes a mistake in the program while it is loaded, in this process. To be called before anything of src is imported. */
export function plant({ name, edits }: Mutant): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const here = edits.filter(({ file }) => url.endsWith(`/${file}`));
      if (here.length === 0 || loaded.source === undefined || loaded.source === null) return loaded;
      const { source } = loaded;
      let text = typeof source === "string" ? source : Buffer.from(source as Uint8Array).toString();
      for (const { file, find, replace } of here) {
        if (text.split(find).length !== 2) throw new Error(`the mutant ${name} does not fit ${file} any more`);
        text = text.replace(find, () => replace);
      }
      return { ...loaded, source: text };
    },
  });
}
