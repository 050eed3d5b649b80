import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../e2e/harness/random.ts";
import { Campaign } from "./campaign.ts";
import { mutateOctets, smallerOctets } from "./mutate-octets.ts";
import { readLines, writeLines } from "./octet-text.ts";
import { hold, type Target } from "./target.ts";
import { data } from "./targets/data.ts";
import { dots } from "./targets/dots.ts";
import { downgrade } from "./targets/downgrade.ts";
import { lines } from "./targets/lines.ts";
import { pop3 } from "./targets/pop3.ts";
import { proxy } from "./targets/proxy.ts";
import { sasl } from "./targets/sasl.ts";
import { guard, Hang } from "./watchdog.ts";

for (const tried of [
  begun(pop3),
  begun(sasl),
  begun(proxy),
  begun(lines),
  begun(dots),
  begun(data),
  begun(downgrade),
]) {
  test(`${tried.name}: nothing of the corpus breaks a rule`, () => {
    const { findings, executions } = tried.begin();
    assert.deepEqual(findings, []);
    assert.ok(executions > 4);
  });
}

test("what is planted is found, made small and told once, and the same for the same seed", () => {
  const found = (): readonly string[] => {
    const campaign = new Campaign(planted(), 7);
    campaign.begin();
    for (let left = 60; left > 0 && campaign.findings.length === 0; left -= 1) campaign.batch();
    return campaign.findings.map(({ each, failure }) => `${each} ${failure.message} ${campaign.executions}`);
  };
  const [first, ...others] = found();
  assert.match(first ?? "", /^\n\.x planted: it does not like this one/);
  assert.deepEqual(others, []);
  assert.deepEqual(found(), [first]);
});

test("what never comes back is ended", () => {
  assert.throws(
    () =>
      guard(0.05, () => {
        for (;;);
      }),
    Hang,
  );
});

test("octets are written down and read back", () => {
  const random = new Random(3);
  let octets = "{A*3}\\n\r\n\0\xff";
  for (let left = 500; left > 0; left -= 1) {
    octets = mutateOctets(octets, octets, ["{", "\\", "\r\n", "x".repeat(40), "{a*40}", "#"], random);
    assert.equal(readLines(writeLines(octets)), octets);
  }
});

function begun<Case>(target: Target<Case>) {
  return {
    name: target.name,
    begin: () => {
      const campaign = new Campaign(target, 1);
      campaign.begin();
      return { findings: campaign.findings.map(({ failure }) => failure.message), executions: campaign.executions };
    },
  };
}

function planted(): Target<string> {
  return {
    name: "planted",
    read: readLines,
    write: writeLines,
    seeds: () => ["some text\r\nand more\r\n"],
    mutate: (octets, other, random) => mutateOctets(octets, other, ["\n.", "x"], random),
    smaller: smallerOctets,
    attempt: (octets) => {
      hold(!octets.includes("\n.x"), "planted", () => "it does not like this one");
      return [octets.slice(0, 2)];
    },
    story: writeLines,
  };
}
