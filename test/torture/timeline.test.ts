import assert from "node:assert/strict";
import { test } from "node:test";
import type { Found } from "./ledger.ts";
import { Timeline } from "./timeline.ts";

const message = (id: string, more: Partial<Found> = {}): Found => ({ id, digest: `d-${id}`, uidl: `u-${id}`, ...more });

/** At 10 a (to two) and b are sent, at 20 they have their 250, at 30 they are seen, at 40 both go by a QUIT, at 50 it is answered. */
function lifeOfTwo(): Timeline {
  let now = 10;
  const timeline = new Timeline(() => now);
  timeline.sending("a", ["box", "other"], "d-a");
  timeline.sending("b", ["box"], "d-b");
  now = 20;
  for (const [id, box] of [
    ["a", "box"],
    ["a", "other"],
    ["b", "box"],
  ] as const)
    timeline.acknowledged(id, box);
  now = 30;
  for (const id of ["a", "b"]) timeline.seen("box", message(id));
  now = 40;
  timeline.quitting("box", ["a", "b"]);
  now = 50;
  timeline.removed("box", ["a", "b"]);
  return timeline;
}

function judge(cut: number, box: readonly string[], other: readonly string[] = ["a"]): string[] {
  const found = new Map([
    ["box", box.map((id) => message(id))],
    ["other", other.map((id) => message(id, { uidl: `o-${id}` }))],
  ]);
  return lifeOfTwo()
    .judge(cut, found)
    .map(({ kind }) => kind);
}

test("the timeline knows what may be there after a cut at any moment", async (t) => {
  await t.test("before a 250 a message may be there or not, in all of its maildrops or in none", () => {
    assert.deepEqual(judge(15, [], []), []);
    assert.deepEqual(judge(15, ["a"]), []);
    assert.deepEqual(judge(15, ["a"], []), ["halved"]);
    assert.deepEqual(judge(5, [], ["a"]), ["other", "halved"]);
  });
  await t.test("from then on it must be there", () => {
    assert.deepEqual(judge(25, ["a", "b"]), []);
    assert.deepEqual(judge(25, ["a"]), ["lost"]);
  });
  await t.test("a QUIT on its way removes all or nothing, and after its answer all is gone", () => {
    assert.deepEqual(judge(45, ["a", "b"]), []);
    assert.deepEqual(judge(45, []), []);
    assert.deepEqual(judge(45, ["b"]), ["halved"]);
    assert.deepEqual(judge(55, []), []);
    assert.deepEqual(judge(55, ["a", "b"]), ["back", "back"]);
  });
  await t.test("octets and unique ids are those that were seen", () => {
    const wrong = (more: Partial<Found>) => {
      const found = [message("a", more), message("b")];
      return lifeOfTwo()
        .judge(
          35,
          new Map([
            ["box", found],
            ["other", [message("a")]],
          ]),
        )
        .map(({ kind }) => kind);
    };
    assert.deepEqual(wrong({ digest: "x" }), ["lost"]);
    assert.deepEqual(wrong({ uidl: "x" }), ["changed"]);
  });
});
