import path from "node:path";
import { Readable } from "node:stream";
import { spec } from "node:test/reporters";
import type { TestEvent } from "node:test/reporters";

/**
 * Node's own report, less the files in which no test ran, which Node counts as a passed test each. A run that ran no
 * test at all fails: a pattern that matches nothing must not look like a kept promise.
 */
// oxlint-disable-next-line import/no-default-export -- Node asks a reporter module for its default export.
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = { tests: 0, hollow: 0 };
  const output = spec();
  Readable.from(withoutHollow(source, counts)).pipe(output);
  for await (const text of output) yield String(text);
  if (counts.tests > 0) return;
  yield "no test ran\n";
  process.exitCode = 1;
}

async function* withoutHollow(
  source: AsyncIterable<TestEvent>,
  counts: { tests: number; hollow: number },
): AsyncGenerator<TestEvent> {
  const started = new Map<string, TestEvent>();
  for await (const event of source) {
    if (event.type === "test:start" && isFile(event.data)) {
      // Held back until it is known that the file failed as a whole; a file in which tests ran never ends as a test.
      started.set(event.data.name, event);
    } else if (event.type === "test:pass" && isFile(event.data)) {
      counts.hollow += 1;
    } else if (event.type === "test:diagnostic" && event.data.nesting === 0) {
      yield { ...event, data: { ...event.data, message: corrected(event.data.message, counts) } };
    } else {
      if (event.type === "test:fail" && isFile(event.data)) {
        const start = started.get(event.data.name);
        if (start) yield start;
      }
      yield event;
    }
  }
}

function isFile({ name, file, nesting }: { name: string; file?: string; nesting: number }): boolean {
  return nesting === 0 && file !== undefined && path.resolve(name) === file;
}

function corrected(message: string, counts: { tests: number; hollow: number }): string {
  const [, word, number] = /^(tests|pass) (\d+)$/.exec(message) ?? [];
  if (word === undefined) return message;
  const real = Number(number) - counts.hollow;
  if (word === "tests") counts.tests = real;
  return `${word} ${real}`;
}
