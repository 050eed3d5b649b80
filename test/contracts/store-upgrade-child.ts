import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import { upgradeStore } from "../../src/store/upgrade/upgrade-store.ts";

// Upgrades the store of a folder and is killed when a step says that it is done.
const [folder = "", killedAt] = process.argv.slice(2);
await upgradeStore({
  folder,
  log: silentLog,
  metrics: testMetrics().metrics,
  all: true,
  progress: ({ step, done, total }) => {
    if (step === killedAt && done === total) process.kill(process.pid, "SIGKILL");
  },
});
