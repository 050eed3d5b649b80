import { crc32 } from "node:zlib";
import { NO_ACTOR } from "../../src/model/history.ts";
import { createObserve } from "../../src/observe/observe.ts";
import { createStoreClient } from "../../src/store/thread/client.ts";
import { startStoreThread } from "../../src/store/thread/start.ts";
import { addAccounts, deliveryOf, memoryBody, must } from "./store-world.ts";

// Delivers and removes until it is killed, and says on standard output what was acknowledged, the moment it was.
const [folder = "", run = ""] = process.argv.slice(2);
const observe = createObserve({ level: "error", format: "json", slots: 2, version: "0" });
const thread = must(await startStoreThread({ folder, observe: observe.shareWith(1).value }));
const store = createStoreClient({ connection: thread.connect(), onLost: () => process.exit(1) });
const accounts = await addAccounts(store, ...Array.from({ length: 8 }, (_, index) => `u${run}-${index}`));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function work(worker: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const account = accounts[(worker + count) % accounts.length]!;
    const text = Buffer.from(`${worker} ${count} `.repeat(1 + ((count * 997) % 3000)));
    const body = count % 7 === 0 ? await spooled(text) : memoryBody(store, text);
    const outcome = must(await store.mail.append(deliveryOf(body, account)))[0];
    const uid = outcome?.ok ? outcome.value : 0;
    say(`stored ${account.inbox} ${uid} ${crc32(text)}`);
    if (count % 3 === 1) {
      say(`removing ${account.inbox} ${uid}`);
      const cause = {
        session: `${worker}`,
        device: "phone",
        peer: "",
        kind: "removed",
        keep: count % 2 === 0,
      } as const;
      must(await store.mail.expunge(account.inbox, Uint32Array.of(uid), cause));
      say(`removed ${account.inbox} ${uid}`);
    }
    // What others removed too: it comes back under uids that nobody here waits for.
    if (count % 12 === 11) must(await store.mail.restore(account.inbox, {}, NO_ACTOR));
    if (count % 15 === 14) must(await store.upkeep.erase(Date.now() - 20));
    if (count % 10 === 9) await store.upkeep.reclaim(Date.now() - 20);
  }
}

async function spooled(text: Uint8Array) {
  const spool = await store.bodies.spool();
  await spool.write(text);
  return spool.finish(new Uint8Array(0));
}

await Promise.all(Array.from({ length: 12 }, (_, worker) => work(worker)));
