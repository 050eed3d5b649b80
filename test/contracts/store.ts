import { describe } from "node:test";
import { bodiesContract } from "./store-bodies.ts";
import { devicesContract } from "./store-devices.ts";
import { directoryContract } from "./store-directory.ts";
import { historyContract } from "./store-history.ts";
import { leasesContract } from "./store-leases.ts";
import { mailContract } from "./store-mail.ts";
import { undeleteContract } from "./store-undelete.ts";
import { upkeepContract } from "./store-upkeep.ts";
import type { StoreUnderTest } from "./store-world.ts";

/** The contract of src/store/ports.ts; every adapter is held to all of it. */
export function storeContract(adapter: string, open: () => Promise<StoreUnderTest>): void {
  describe(adapter, () => {
    directoryContract(open);
    devicesContract(open);
    mailContract(open);
    bodiesContract(open);
    undeleteContract(open);
    historyContract(open);
    upkeepContract(open);
    leasesContract(open);
  });
}
