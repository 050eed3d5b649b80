import { parentPort } from "node:worker_threads";
import type { FromThread, ToThread } from "../thread-messages.ts";

// A thread that dies when it is told of a new configuration, and ends in order when it is told to stop.
const say = (message: FromThread): void => parentPort?.postMessage(message);

parentPort?.on("message", (message: ToThread) => {
  if (message.kind === "config") throw new Error("a mistake of ours");
  if (message.kind === "stop") {
    say({ kind: "stopped", sessionsCut: message.seconds });
    parentPort?.close();
  }
});
say({ kind: "bound" });
