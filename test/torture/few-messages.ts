import { silentLog, testMetrics } from "../../src/observe/testing.ts";
import { openStore } from "../../src/store/open.ts";
import { deliver, must } from "../contracts/store-world.ts";
import { parseAddress, parseDomain } from "../../src/model/address.ts";
import { addressOf } from "../e2e/harness/installation.ts";
import { domain } from "../e2e/harness/configuration.ts";
import { BOXES } from "./power-load.ts";

// Makes a store with the accounts of the power cuts in the folder that is named, delivers to the first, and dies.
const [folder = ""] = process.argv.slice(2);
const store = must(await openStore({ folder, log: silentLog, metrics: testMetrics().metrics }));
must(await store.directory.addDomain(must(parseDomain(domain)), 1));
const given = BOXES.map((box) => ({
  address: must(parseAddress(addressOf(box))),
  secret: "{SECRET}x",
  enabled: true,
  quota: { octets: null, messages: null },
}));
const [first] = must(await store.directory.addAccounts(given, 1));
if (first === undefined) throw new Error("no account");
for (const id of ["a", "b", "c"]) {
  const trace = "Return-Path: <>\r\nReceived: by test\r\n";
  await deliver(store, first, `${trace}X-Kill-Id: ${id}\r\n\r\n${"Some words.\r\n".repeat(100)}`);
}
process.exit(0);
