import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { LineStartDots } from "./line-start-dots.ts";

describe("dots at line starts", () => {
  it("are found wherever the pieces end", () => {
    const text = fc.array(fc.constantFrom("a", ".", "\r\n"), { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.nat(60), fc.nat(60), (body, one, other) => {
        const dots = new LineStartDots();
        const [first, second] = [Math.min(one, other), Math.max(one, other)];
        for (const piece of [body.slice(0, first), body.slice(first, second), body.slice(second)]) {
          dots.push(Buffer.from(piece));
        }
        assert.equal(dots.found, body.startsWith(".") || body.includes("\r\n."));
      }),
    );
  });
});
