import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createPause, pauseAfter } from "./refusal-pause.ts";

test("P10: a refusal ends at the first full second after its check, whatever the check took", () => {
  for (const [took, pause] of [
    [0, 1000],
    [0.4, 1000],
    [13, 987],
    [999.5, 1],
    [1000, 1000],
    [1300, 700],
    [5999, 1],
  ] as const) {
    assert.equal(pauseAfter(took), pause, `${took} ms`);
  }
});

test("a pause ends by itself, or when the server stops; after that there is none", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const stopping = new AbortController();
    const pause = createPause(stopping.signal);
    const ended: string[] = [];
    const short = pause(500).then(() => ended.push("short"));
    const long = pause(900_000).then(() => ended.push("long"));
    mock.timers.tick(500);
    await short;
    assert.deepEqual(ended, ["short"]);
    stopping.abort();
    await long;
    await pause(900_000);
    assert.deepEqual(ended, ["short", "long"]);
  } finally {
    mock.timers.reset();
  }
});
