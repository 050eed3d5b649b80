import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger, type Found } from "./ledger.ts";

const message = (id: string, more: Partial<Found> = {}): Found => ({ id, digest: `d-${id}`, uidl: `u-${id}`, ...more });

/** A ledger in which a, b and c were sent to one box, and a and b acknowledged. */
function ledgerOfThree(): Ledger {
  const ledger = new Ledger();
  for (const id of ["a", "b", "c"]) ledger.sending(id, ["box"], `d-${id}`);
  for (const id of ["a", "b"]) ledger.acknowledged(id, "box");
  return ledger;
}

test("the ledger of the kill runs finds each kind of loss", async (t) => {
  await t.test("none: what was not acknowledged may be there or not", () => {
    for (const found of [
      ["a", "b"],
      ["a", "b", "c"],
    ]) {
      const ledger = ledgerOfThree();
      ledger.check(
        "box",
        found.map((id) => message(id)),
      );
      ledger.check(
        "box",
        found.map((id) => message(id)),
      );
      assert.deepEqual(ledger.problems, []);
    }
  });
  await t.test("an acknowledged message is missing", () => {
    const ledger = ledgerOfThree();
    ledger.check("box", [message("a")]);
    assert.match(ledger.problems.join(), /box b got 250 and is missing/);
  });
  await t.test("a removed message is back", () => {
    const ledger = ledgerOfThree();
    ledger.quitting("box", ["a"]);
    ledger.removed("box", ["a"]);
    ledger.check("box", [message("a"), message("b")]);
    assert.match(ledger.problems.join(), /box a is back/);
  });
  await t.test("a QUIT without an answer removed some of its messages only", () => {
    const ledger = ledgerOfThree();
    ledger.quitting("box", ["a", "b"]);
    ledger.check("box", [message("b")]);
    assert.match(ledger.problems.join(), /removed 1 of 2/);
  });
  await t.test("a QUIT without an answer removed all or nothing, and it stays so", () => {
    for (const found of [[], [message("a"), message("b")]]) {
      const ledger = ledgerOfThree();
      ledger.quitting("box", ["a", "b"]);
      ledger.check("box", found);
      assert.deepEqual(ledger.problems, []);
      ledger.check("box", [message("a"), message("b")]);
      assert.equal(ledger.problems.length, found.length === 0 ? 2 : 0);
    }
  });
  await t.test("a message came to one of its two recipients only", () => {
    for (const second of [[], [message("d", { uidl: "second" })]]) {
      const ledger = new Ledger();
      ledger.sending("d", ["one", "two"], "d-d");
      ledger.check("one", [message("d")]);
      ledger.check("two", second);
      ledger.settleDeliveries();
      assert.deepEqual(ledger.problems, second.length === 0 ? ["d came to one of one,two"] : []);
    }
  });
  await t.test("other octets, another unique id, one that is used again, a message twice, one never sent", () => {
    const wrong: readonly (readonly [Found[], RegExp])[] = [
      [[message("a", { digest: "other" }), message("b")], /other octets/],
      [[message("a"), message("b", { uidl: "u-a" })], /was box a and is box b/],
      [[message("a"), message("a"), message("b")], /twice/],
      [[message("a"), message("b"), message("z")], /never sent/],
    ];
    for (const [found, words] of wrong) {
      const ledger = ledgerOfThree();
      ledger.check("box", found);
      assert.match(ledger.problems.join(), words);
    }
    const ledger = ledgerOfThree();
    ledger.check("box", [message("a"), message("b")]);
    ledger.check("box", [message("a", { uidl: "new" }), message("b")]);
    assert.match(ledger.problems.join(), /UIDL u-a became new/);
  });
});
