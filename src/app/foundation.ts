import { setTimeout as sleep } from "node:timers/promises";
import { openSecretKey } from "../auth/secret-key.ts";
import type { Language } from "../config/language.ts";
import type { Config } from "../config/schema.ts";
import { systemClock } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { Observe } from "../observe/observe.ts";
import { lockFolder } from "../store/lock.ts";
import type { OpenStore } from "../store/open.ts";
import { createStoreClient } from "../store/thread/client.ts";
import { startStoreThread, type StoreThread } from "../store/thread/start.ts";
import { sweepTry } from "../store/upgrade/try-folder.ts";
import { newTicketKeys } from "../tls/ticket-keys.ts";
import { warnOfLostKey } from "./lost-key.ts";
import { decideAddresses, type Addresses } from "./bind.ts";
import { ServedCertificate } from "./certificates.ts";
import { lockSentence, openSentence, secretKeySentence } from "./refusals.ts";

/** Why the server did not start, as a sentence for the operator. */
export class StartRefusal extends Error {}

/** The value, or the end of the start. */
export function orRefuse<T>(result: Result<T, string>): T {
  if (result.ok) return result.value;
  throw new StartRefusal(result.error);
}

/** What the server stands on. */
export type Foundation = {
  readonly addresses: Addresses;
  readonly certificate: ServedCertificate;
  readonly storeThread: StoreThread;
  readonly store: OpenStore;
  /** What lies in the data folder's secrets.key. */
  readonly secretKey: Uint8Array;
};

const LOCK_PATIENCE_MS = 2000;
const LOCK_PAUSE_MS = 50;

/** A server that is about to end (its launcher was killed, a restart was quick) gives its folder up in a moment. */
async function takeLock(folder: string): Promise<ReturnType<typeof lockFolder>> {
  const until = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    const lock = lockFolder(folder);
    if (lock.ok || lock.error !== "held" || performance.now() > until) return lock;
    await sleep(LOCK_PAUSE_MS);
  }
}

/** What must be had before anybody can be served: the folder, the certificate, the addresses, the store. */
export async function layFoundation(
  parts: AsyncDisposableStack,
  config: Config,
  observe: Observe,
  language: Language,
): Promise<Foundation> {
  const folder = config.server.dataDirectory;
  const lock = await takeLock(folder);
  if (!lock.ok) throw new StartRefusal(lockSentence(lock.error, folder, language));
  parts.use(lock.value);
  sweepTry(folder);
  const secretKey = await openSecretKey(folder);
  if (!secretKey.ok) throw new StartRefusal(secretKeySentence(secretKey.error, folder, language));

  const opening = { config, ticketKeys: newTicketKeys(), clock: systemClock, log: observe.log };
  const certificate = parts.use(orRefuse(await ServedCertificate.open(opening)));
  const addresses = orRefuse(await decideAddresses(config.listeners, language));

  const storeThread = await startStoreThread({ folder, observe: observe.shareWith(1).value });
  if (!storeThread.ok) throw new StartRefusal(openSentence(storeThread.error, folder, language));
  parts.use(storeThread.value);
  const store = parts.use(
    createStoreClient({ connection: storeThread.value.connect(), onLost: () => undefined, clock: systemClock }),
  );
  if (secretKey.value.made) await warnOfLostKey(store, observe.log);
  return { addresses, certificate, storeThread: storeThread.value, store, secretKey: secretKey.value.octets };
}
