import assert from "node:assert/strict";
import { it } from "node:test";
import * as fc from "fast-check";
import { formatOctets, formatOctetsExactly, parseOctets } from "./octets.ts";

it("reads sizes as operators write them", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["0", 0],
    ["1024", 1024],
    ["64 KiB", 65_536],
    ["64KiB", 65_536],
    ["64 kib", 65_536],
    ["1.5 GiB", 1_610_612_736],
    ["5 B", 5],
    ["1 TiB", 1_099_511_627_776],
    ["50 MB", undefined],
    ["50 M", undefined],
    ["0.3 B", undefined],
    ["-1", undefined],
    ["1e3", undefined],
    ["", undefined],
    ["KiB", undefined],
    ["9007199254740993", undefined],
    ["999999999999999 TiB", undefined],
    ["1 KiB 2", undefined],
  ];
  for (const [text, octets] of cases) assert.equal(parseOctets(text), octets, text);
});

it("reads back what it writes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (octets) => {
      assert.equal(parseOctets(formatOctetsExactly(octets)), octets);
    }),
  );
  assert.equal(formatOctetsExactly(50 * 1024 ** 2), "50 MiB");
});

it("writes sizes for people in three digits", () => {
  const cases = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [1024 * 100, "100 KiB"],
    [1024 ** 2 - 1, "1.0 MiB"],
    [5 * 1024 ** 3, "5.0 GiB"],
    [3000 * 1024 ** 4, "3000 TiB"],
  ] as const;
  for (const [octets, text] of cases) assert.equal(formatOctets(octets), text);
});
