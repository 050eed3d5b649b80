import { storeContract } from "./store.ts";
import { openBehindThread } from "./store-adapters.ts";

storeContract("SQLite and disk, behind the store thread", () => openBehindThread());
