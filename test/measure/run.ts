import { runParts } from "../reliability/parts.ts";

// `npm run measure -- PART`: what docs/reliability.md says of rot, upgrades, size and overload.
await runParts("measure", {
  rot: async () => (await import("./rot.ts")).run,
  upgrades: async () => (await import("./upgrades.ts")).run,
  size: async () => (await import("./size.ts")).run,
  overload: async () => (await import("./overload.ts")).run,
});
