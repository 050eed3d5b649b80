import { runParts } from "../reliability/parts.ts";

// `npm run torture -- PART`: the real server, its disk and its power taken away. `--kills N` alone is short for `kills`.
if (process.argv[2]?.startsWith("--")) process.argv.splice(2, 0, "kills");
await runParts("torture", {
  kills: async () => (await import("./kills.ts")).run,
  rig: async () => (await import("./rig.ts")).run,
  disk: async () => (await import("./disk.ts")).run,
  power: async () => (await import("./power.ts")).run,
  full: async () => (await import("./full.ts")).run,
});
