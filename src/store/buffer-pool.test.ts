import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BufferPool } from "./buffer-pool.ts";

describe("the pool of buffers", () => {
  it("gives a buffer again that came back, to whoever needs one of its size", () => {
    const pool = new BufferPool();
    const buffer = pool.take(30_000);
    assert.ok(buffer.byteLength >= 30_000);
    pool.give(buffer);
    assert.notEqual(pool.take(70_000), buffer);
    assert.equal(pool.take(20_000), buffer);
    assert.notEqual(pool.take(20_000), buffer);
  });

  it("P6: keeps no more than a bound, and none of a size that it does not give", () => {
    const pool = new BufferPool();
    const odd = new ArrayBuffer(5000);
    pool.give(odd);
    assert.notEqual(pool.take(5000), odd);
    const large = Array.from({ length: 10 }, () => pool.take(1024 * 1024));
    for (const buffer of large) pool.give(buffer);
    const kept = Array.from({ length: 10 }, () => pool.take(1024 * 1024)).filter((buffer) => large.includes(buffer));
    assert.equal(kept.length, 4);
  });
});
