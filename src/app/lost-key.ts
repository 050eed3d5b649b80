import { SECRET_KEY_FILE } from "../auth/secret-key.ts";
import type { Log } from "../observe/log-port.ts";
import type { Store } from "../store/ports.ts";

/** A key made just now, beside accounts: the one that their app passwords and proofs go with is lost, or left elsewhere. */
export async function warnOfLostKey({ directory }: Pick<Store, "directory">, log: Log): Promise<void> {
  const [account] = await directory.accounts({ limit: 1 });
  if (account !== undefined) log.warn("secrets.made_anew", { file: SECRET_KEY_FILE });
}
