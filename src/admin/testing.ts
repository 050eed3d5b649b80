import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createCredentialMaker } from "../auth/credentials-made.ts";
import { createPasswords } from "../auth/password.ts";
import { deriveHouseKeys } from "../auth/secret-key.ts";
import { createThrottle, type Throttle } from "../auth/throttle.ts";
import { assert } from "../lib/assert.ts";
import { systemClock } from "../lib/clock.ts";
import { ok } from "../lib/result.ts";
import { recordingLog, testMetrics, type Recorded } from "../observe/testing.ts";
import { openStore, type OpenStore } from "../store/open.ts";
import { createScrubber } from "../store/scrub/scrubber.ts";
import type { AdminServices, CertificateStatus } from "./services.ts";

/** The services of administration over a real store in a folder of its own. */
export type TestServices = AsyncDisposable & {
  readonly folder: string;
  readonly services: AdminServices;
  readonly store: OpenStore;
  readonly throttle: Throttle;
  readonly events: readonly Recorded[];
};

/** Opens them; disposing closes the store and removes the folder. */
export async function testServices(): Promise<TestServices> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep-admin-"));
  const { log, events } = recordingLog();
  const { metrics } = testMetrics();
  const opened = await openStore({ folder, log, metrics });
  assert(opened.ok, "a store opens in an empty folder");
  const store = opened.value;
  const passwords = createPasswords({ metrics, concurrency: 2, queue: 64 });
  const maker = createCredentialMaker({ passwords, keys: deriveHouseKeys(new Uint8Array(32)) });
  const throttle = createThrottle();
  const certificate: CertificateStatus = { certificate: path.join(folder, "c.pem"), key: path.join(folder, "k.pem") };
  const services: AdminServices = {
    store,
    defaultQuota: () => ({ octets: 1000, messages: 10 }),
    defaults: () => ({ expireDays: 0, loginDelaySeconds: 0, undeleteDays: 14 }),
    makeCredentials: (address, password) => maker.makeCredentials(address, password),
    makeAppPassword: (address) => maker.makeAppPassword(address),
    penalties: {
      list: () => throttle.penalties(systemClock.monotonic()),
      clear: (filter) => throttle.clear(filter, systemClock.monotonic()),
    },
    certificates: { list: async () => [certificate], selfSigned: async () => ok(certificate) },
    scrubber: createScrubber({ folder, scrub: store.scrub, log, metrics, clock: systemClock }),
    schema: { from: 1, to: 1 },
    log,
    clock: systemClock,
  };
  return {
    folder,
    services,
    store,
    throttle,
    events,
    async [Symbol.asyncDispose]() {
      await passwords[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
