import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import { openStore } from "../../src/store/open.ts";
import { assertConsistentRows } from "../contracts/store-consistency.ts";
import type { StoreUnderTest } from "../contracts/store-world.ts";
import { must } from "../contracts/store-world.ts";
import { storeContract } from "../contracts/store.ts";
import type { Hooks } from "./machine.ts";
import { createMachine } from "./machine.ts";

const hooks: Hooks = {
  step: () => undefined,
  later: (work) => new Promise((resolve) => setImmediate(resolve)).then(work),
};

/** The store on a simulated machine without faults. */
async function openOnMachine(): Promise<StoreUnderTest> {
  const machine = createMachine();
  const { folder } = machine;
  const open = async () => {
    const { disk, rows } = machine.boot(hooks);
    return must(await openStore({ folder, disk, rows, log: silentLog, metrics: testMetrics().metrics }));
  };
  let store = await open();
  const under = `${folder}/`;
  return {
    get store() {
      return store;
    },
    folder,
    files: (within) => machine.list(under + within).map((path) => path.slice(`${under}${within}/`.length)),
    octets: (file) => must({ ok: true, value: machine.content(under + file) ?? new Uint8Array(0) }),
    assertConsistent: async () => {
      await machine.quiet();
      assertConsistentRows((text) => machine.query(text));
    },
    another: () => store,
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      machine.kill();
      store = await open();
    },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      machine.kill();
    },
  };
}

storeContract("simulated disk and rows", openOnMachine);
