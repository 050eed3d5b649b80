import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createObserve } from "../../src/observe/observe.ts";
import type { Output } from "../../src/observe/output.ts";
import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import type { OpenStore, StoreOptions } from "../../src/store/open.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/ports.ts";
import { createStoreClient } from "../../src/store/thread/client.ts";
import type { StoreThread } from "../../src/store/thread/start.ts";
import { startStoreThread } from "../../src/store/thread/start.ts";
import { assertConsistent } from "./store-consistency.ts";
import type { StoreUnderTest } from "./store-world.ts";
import { must } from "./store-world.ts";

/** An empty folder of a test's own. */
export function temporaryFolder(): Disposable & { readonly folder: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mailkeep-store-"));
  return { folder, [Symbol.dispose]: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

/** What a suite looks at in a data folder of this machine. */
function looksInto(folder: string): Pick<StoreUnderTest, "folder" | "files" | "octets" | "assertConsistent"> {
  return {
    folder,
    files: (within) =>
      fs
        .readdirSync(path.join(folder, within), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(path.join(folder, within), path.join(entry.parentPath, entry.name))),
    octets: (file) => fs.readFileSync(path.join(folder, file)),
    assertConsistent: async () => assertConsistent(folder),
  };
}

/** The store in this thread, writer and all. */
export async function openInThread(options: Partial<StoreOptions> = {}): Promise<StoreUnderTest> {
  const temporary = temporaryFolder();
  const folder = options.folder ?? temporary.folder;
  const open = async () =>
    must(await openStore({ log: silentLog, metrics: testMetrics().metrics, ...options, folder }));
  let store = await open();
  return {
    get store() {
      return store;
    },
    ...looksInto(folder),
    another: () => store,
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await open();
    },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      temporary[Symbol.dispose]();
    },
  };
}

const nowhere: Output = {
  terminal: process.stdout,
  write: (octets, taken) => taken(octets.length),
  writeNow: () => undefined,
  close: () => undefined,
};

export type ThreadUnderTest = StoreUnderTest & {
  readonly thread: StoreThread;
  /** What the clients' onLost were told. */
  readonly losses: readonly string[];
};

/** The store behind its thread, as the server runs it, with two clients here. */
export async function openBehindThread(): Promise<ThreadUnderTest> {
  const temporary = temporaryFolder();
  const { folder } = temporary;
  const losses: string[] = [];
  const observe = createObserve({
    level: "error",
    format: "json",
    slots: 2,
    version: "0",
    output: nowhere,
  });
  const start = async () => must(await startStoreThread({ folder, observe: observe.shareWith(1).value }));
  let thread = await start();
  const client = (): OpenStore =>
    createStoreClient({ connection: thread.connect(), onLost: (reason) => losses.push(reason) });
  let clients = [client(), client()] as const;
  const stop = async (): Promise<void> => {
    for (const each of clients) await each[Symbol.asyncDispose]();
    if (losses.length === 0) await thread[Symbol.asyncDispose]();
  };
  return {
    get store() {
      return clients[0];
    },
    get thread() {
      return thread;
    },
    ...looksInto(folder),
    losses,
    another: (): Store => clients[1],
    reopen: async () => {
      await stop();
      thread = await start();
      clients = [client(), client()];
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      observe[Symbol.dispose]();
      temporary[Symbol.dispose]();
    },
  };
}
