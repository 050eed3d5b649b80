import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import { openStore } from "../../src/store/open.ts";
import { must } from "../contracts/store-world.ts";

// Erases, in the folder that is named, all that undelete kept, and gives its space back, as the server's jobs do in time.
// "open": opens it only.
const [folder = "", only] = process.argv.slice(2);
await using store = must(await openStore({ folder, log: silentLog, metrics: testMetrics().metrics }));
const now = Date.now() + 1;
for (let more = only !== "open"; more;) ({ more } = must(await store.upkeep.erase(now)));
for (let more = only !== "open"; more;) ({ more } = await store.upkeep.reclaim(now));
