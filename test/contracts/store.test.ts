import { storeContract } from "./store.ts";
import { openInThread } from "./store-adapters.ts";

storeContract("SQLite and disk, in this thread", () => openInThread());
