import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { LogWriter } from "./log-writer.ts";
import type { Output } from "./output.ts";

function line(level: string, text: string): string {
  return `{"time":"2026-01-02T03:04:05.678Z","seq":1,"level":"${level}","event":"${text}"}\n`;
}

/** An output whose test says how much it takes. */
class SlowOutput extends EventEmitter implements Output {
  readonly terminal = process.stdout;
  written = "";
  now = "";
  asked = 0;
  #give: (() => void) | undefined;
  takes = 0;

  write(octets: Uint8Array, taken: (octets: number) => void): void {
    this.asked += 1;
    this.#give = () => {
      const count = Math.min(this.takes, octets.length);
      this.written += Buffer.from(octets.subarray(0, count)).toString();
      taken(count);
    };
    this.emit("asked");
  }

  writeNow(octets: Uint8Array): void {
    this.now += Buffer.from(octets).toString();
  }

  close(): void {
    // Nothing is open.
  }

  /** The write that was asked for ends, with this many octets taken. */
  finish(takes: number): void {
    this.takes = takes;
    this.#give?.();
  }
}

test("one write at a time; what comes meanwhile goes out together", () => {
  const output = new SlowOutput();
  const writer = new LogWriter(output, 1e6, () => assert.fail("nothing is dropped"));
  writer.add(["a\n"]);
  writer.add(["b\n", "c\n"]);
  assert.equal(output.asked, 1);
  output.finish(100);
  assert.equal(output.asked, 2);
  output.finish(100);
  assert.equal(output.written, "a\nb\nc\n");
});

test("what was taken in part goes on from there; what was not taken is asked again later", async () => {
  const output = new SlowOutput();
  const writer = new LogWriter(output, 1e6, () => assert.fail("nothing is dropped"));
  writer.add(["abcdef\n"]);
  output.finish(3);
  assert.equal(output.asked, 2);
  const again = once(output, "asked");
  // The writer's timer holds nothing open by itself.
  const open = setInterval(() => undefined, 1000);
  output.finish(0);
  assert.equal(output.asked, 2);
  await again;
  clearInterval(open);
  output.finish(100);
  assert.equal(output.written, "abcdef\n");
});

test("an output that takes nothing costs the oldest lines below warn, and never more than the limit", () => {
  const output = new SlowOutput();
  let dropped = 0;
  const writer = new LogWriter(output, 10_000, (lines) => {
    dropped += lines;
  });
  writer.add([line("error", "first")]);
  for (let count = 0; count < 1000; count += 1) {
    writer.add([line("info", `i${count}`)]);
    if (count % 100 === 0) writer.add([line("warn", `w${count}`)]);
  }
  writer.flush();
  const kept = output.now.trimEnd().split("\n");
  assert.ok(output.now.length <= 10_000);
  assert.equal(kept.filter((each) => each.includes('"level":"warn"')).length, 10);
  assert.ok(kept.at(-1)?.includes("i999"));
  assert.ok(!output.now.includes('"i0"'));
  // The first line was in the output's hands, all others were waiting.
  assert.equal(dropped + kept.length, 1010);
});

test("where nothing but warnings waits, the oldest of them go", () => {
  const output = new SlowOutput();
  let dropped = 0;
  const writer = new LogWriter(output, 10_000, (lines) => {
    dropped += lines;
  });
  for (let count = 0; count < 1000; count += 1) writer.add([line("warn", `w${count}`)]);
  writer.flush();
  assert.ok(output.now.length <= 10_000);
  assert.ok(output.now.includes('"w999"'));
  assert.ok(dropped > 800);
});

test("flush writes what waits, the rest of a line that was taken in part first", () => {
  const output = new SlowOutput();
  const writer = new LogWriter(output, 1e6, () => assert.fail("nothing is dropped"));
  writer.add(["abcdef\n"]);
  output.finish(2);
  output.finish(0);
  writer.add(["next\n"]);
  writer.flush();
  assert.equal(output.written + output.now, "abcdef\nnext\n");
});
