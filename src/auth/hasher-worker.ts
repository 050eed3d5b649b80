import { parentPort } from "node:worker_threads";
import { assert } from "../lib/assert.ts";
import { parseStored } from "./schemes/parse.ts";

/** What the hashing thread is asked. */
export type HashQuestion = { readonly stored: string; readonly password: Uint8Array };

// The hashing thread: it checks one password after the other with the schemes whose work is JavaScript.
assert(parentPort, "this file runs as a thread");
const port = parentPort;
port.on("message", ({ stored, password }: HashQuestion) => {
  const check = parseStored(stored);
  assert(check.ok && check.value.where === "thread", "only such secrets are sent here");
  port.postMessage(check.value.verify(Buffer.from(password)));
});
