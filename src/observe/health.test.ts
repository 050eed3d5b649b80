import assert from "node:assert/strict";
import { test } from "node:test";
import { createHealth } from "./health.ts";

test("the whole is ready when every part has said so, and as bad as its worst part", () => {
  const health = createHealth(["store", "listeners"]);
  assert.equal(health.report().status, "starting");
  health.say("store", "ready");
  assert.equal(health.report().status, "starting");
  health.say("listeners", "ready");
  assert.deepEqual(health.report(), {
    status: "ready",
    parts: { store: { status: "ready" }, listeners: { status: "ready" } },
  });
  health.say("store", "failed", "no space left");
  health.say("listeners", "stopping");
  assert.equal(health.report().status, "failed");
  assert.deepEqual(health.report().parts["store"], { status: "failed", reason: "no space left" });
  health.say("store", "ready");
  assert.deepEqual(health.report().parts["store"], { status: "ready" });
  assert.equal(health.report().status, "stopping");
});

test("nothing that has parts is ready before it has any", () => {
  assert.equal(createHealth([]).report().status, "starting");
});
