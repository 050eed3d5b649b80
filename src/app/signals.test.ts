import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onSignals } from "./signals.ts";

describe("onSignals", () => {
  it("takes what npm and the launcher pass on for the same wish, and a later one for a second", () => {
    const heard: string[] = [];
    let now = 0;
    using signals = onSignals(
      {
        stop: (signal) => heard.push(`stop ${signal}`),
        endNow: () => heard.push("end now"),
        reload: () => heard.push("reload"),
      },
      () => now,
    );
    process.emit("SIGHUP");
    process.emit("SIGINT");
    now = 200;
    process.emit("SIGINT");
    assert.deepEqual(heard, ["reload", "stop SIGINT"]);
    now = 301;
    signals.stop("launcher gone");
    assert.deepEqual(heard, ["reload", "stop SIGINT", "end now"]);
  });
});
