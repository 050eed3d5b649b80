import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDate, parseDuration, parseSince, parseUntil } from "./moment.ts";

const DAY = 86_400_000;
const now = new Date(2026, 10, 24, 12, 0).getTime();

describe("a length of time", () => {
  for (const [text, ms] of [
    ["90d", 90 * DAY],
    ["12h", DAY / 2],
    ["2 w", 14 * DAY],
    ["30m", 1_800_000],
    ["0d", 0],
    ["d", undefined],
    ["-1d", undefined],
    ["1.5d", undefined],
    ["90", undefined],
    ["1y", undefined],
    ["9999999d", undefined],
  ] as const) {
    it(JSON.stringify(text), () => assert.equal(parseDuration(text), ms));
  }
});

describe("a date or time", () => {
  for (const [text, moment] of [
    ["2026-11-24", new Date(2026, 10, 24).getTime()],
    ["2026-11-24 18:30", new Date(2026, 10, 24, 18, 30).getTime()],
    ["2026-11-24T18:30:05", new Date(2026, 10, 24, 18, 30, 5).getTime()],
    ["2026-11-24T18:30:00Z", Date.UTC(2026, 10, 24, 18, 30)],
    ["2026-11-24 18:30:00.000+02:00", Date.UTC(2026, 10, 24, 16, 30)],
    ["2026-02-29", undefined],
    ["2028-02-29", new Date(2028, 1, 29).getTime()],
    ["2026-13-01", undefined],
    ["2026-11-24T24:00", undefined],
    ["24.11.2026", undefined],
    ["tomorrow", undefined],
    ["", undefined],
  ] as const) {
    it(JSON.stringify(text), () => assert.equal(parseDate(text), moment));
  }

  it("alone is the whole day where something ends with it", () => {
    assert.equal(parseDate("2026-11-24", true), new Date(2026, 10, 25).getTime());
    assert.equal(parseDate("2026-12-31 08:00", true), new Date(2026, 11, 31, 8).getTime());
  });
});

describe("a moment", () => {
  it("is so long ago, or so far ahead, or a date", () => {
    assert.equal(parseSince("3d", now), now - 3 * DAY);
    assert.equal(parseUntil("3d", now), now + 3 * DAY);
    assert.equal(parseSince("2026-11-24", now), new Date(2026, 10, 24).getTime());
    assert.equal(parseUntil("2026-11-24", now), new Date(2026, 10, 25).getTime());
    assert.equal(parseSince("soon", now), undefined);
    assert.equal(parseUntil("soon", now), undefined);
  });
});
