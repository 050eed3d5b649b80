import { runParts } from "../reliability/parts.ts";

// `npm run measure -- PART`: what docs/reliability.md says of upgrades and size.
await runParts("measure", {
  upgrades: async () => (await import("./upgrades.ts")).run,
  size: async () => (await import("./size.ts")).run,
});
