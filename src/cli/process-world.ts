import type { World } from "./context.ts";

/** The world of this process. */
export function processWorld(): World {
  // Whoever reads the output may stop early, as `head` does: that is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    directory: process.cwd(),
    ports: {
      serve: async (options) => (await import("../app/serve.ts")).serve(options),
      openOffline: async (config) => (await import("../app/offline.ts")).openOffline(config),
      upgrade: async (config, options) => (await import("../app/upgrade.ts")).upgrade(config, options),
      checkCertificate: async (config, clock) =>
        (await import("../app/certificates.ts")).checkCertificate(config, clock),
    },
  };
}
