import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Owner, Runtime, Task } from "./runtime.ts";

/*
 * Takes the place of what the program under test asks the machine for: time, timers, chance, waiting on shared memory. It
 * does so only while a simulation runs. To be imported before anything of src.
 */

let active: Runtime | undefined;

const require = createRequire(import.meta.url);
const crypto = require("node:crypto") as Record<string, unknown>;
const timersPromises = require("node:timers/promises") as Record<string, unknown>;

/** The machine's own, from before. */
export const real = { setImmediate, setTimeout, now: Date.now };

/** Runs work with a runtime in the machine's place. */
export function within<T>(runtime: Runtime, work: () => T): T {
  const refused = (cause: unknown): void => runtime.fail(cause);
  // Who listens besides, such as a test runner, would take what a dead process left behind for its own.
  const others = process.rawListeners("unhandledRejection") as NodeJS.UnhandledRejectionListener[];
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", refused);
  active = runtime;
  try {
    return work();
  } finally {
    active = undefined;
    process.off("unhandledRejection", refused);
    for (const other of others) process.on("unhandledRejection", other);
  }
}

type Callback = (...given: unknown[]) => void;

/** What a timer function gives. */
class Timer {
  task: Task | undefined;

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    this.task?.cancel();
  }
}

function timer(runtime: Runtime, work: Callback, ms: number | undefined, given: unknown[], again: boolean): Timer {
  const made = new Timer();
  const owner = runtime.current;
  const arm = (): void => {
    made.task = runtime.after(owner, Math.max(1, Math.floor(ms ?? 1)), () => {
      if (again) arm();
      work(...given);
    });
  };
  arm();
  return made;
}

function stop(given: unknown, otherwise: (given: never) => void): void {
  if (given instanceof Timer) given.task?.cancel();
  else otherwise(given as never);
}

function replace(holder: object, name: string, make: (original: Callback) => unknown): void {
  const found = holder as Record<string, unknown>;
  const original = found[name] as Callback;
  const made = make(original);
  // What hangs on a function, such as the promise form of setTimeout, stays there.
  if (typeof made === "function") Object.defineProperties(made, Object.getOwnPropertyDescriptors(original));
  // Some stand there as getters.
  Object.defineProperty(found, name, { value: made, writable: true, configurable: true, enumerable: true });
}

for (const [name, again] of [
  ["setTimeout", false],
  ["setInterval", true],
] as const) {
  replace(
    globalThis,
    name,
    (original) =>
      (work: Callback, ms?: number, ...given: unknown[]) =>
        active === undefined
          ? Reflect.apply(original, globalThis, [work, ms, ...given])
          : timer(active, work, ms, given, again),
  );
}
for (const name of ["clearTimeout", "clearInterval", "clearImmediate"])
  replace(globalThis, name, (original) => (given: unknown) => stop(given, original));
replace(globalThis, "setImmediate", (original) => (work: Callback, ...given: unknown[]) => {
  if (active === undefined) return Reflect.apply(original, globalThis, [work, ...given]);
  const made = new Timer();
  made.task = active.soon(active.current, () => work(...given));
  return made;
});
replace(Date, "now", (original) => () => (active === undefined ? original() : active.wall()));
replace(process, "hrtime", (original) => (before?: [number, number]) => {
  if (active === undefined) return (original as unknown as typeof process.hrtime)(before);
  const ms = active.monotonic();
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
});
replace(
  Atomics,
  "waitAsync",
  (original) => (words: Int32Array, index: number, value: number, ms: number) =>
    active === undefined
      ? (original as unknown as typeof Atomics.waitAsync)(words, index, value, ms)
      : active.waitAsync(words, index, value, ms),
);
replace(
  Atomics,
  "notify",
  (original) => (words: Int32Array, index: number, count?: number) =>
    active === undefined
      ? (original as unknown as typeof Atomics.notify)(words, index, count)
      : active.notify(words, index),
);

function fill<T extends ArrayBufferView>(runtime: Runtime, target: T): T {
  // eslint-disable-next-line no-param-reassign -- counted, see simulate.ts
  runtime.draws += 1;
  const octets = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  for (let at = 0; at < octets.length; at += 1) octets[at] = runtime.secrets.between(0, 255);
  return target;
}

function replaceRandom(name: string, simulated: (runtime: Runtime, ...given: never[]) => unknown): void {
  replace(
    crypto,
    name,
    (original) =>
      (...given: unknown[]) =>
        active === undefined ? Reflect.apply(original, crypto, given) : simulated(active, ...(given as never[])),
  );
}

replaceRandom("randomBytes", (runtime, octets: number) => fill(runtime, Buffer.alloc(octets)));
replaceRandom("randomFillSync", (runtime, target: Uint8Array) => fill(runtime, target));
replaceRandom("randomInt", (runtime, low: number, high?: number) =>
  high === undefined ? runtime.secrets.between(0, low - 1) : runtime.secrets.between(low, high - 1),
);
replaceRandom("randomUUID", (runtime) => {
  const hex = fill(runtime, Buffer.alloc(16)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
});
replace(
  timersPromises,
  "setImmediate",
  (original) => (value: unknown) => (active === undefined ? original(value) : pause(active, undefined)),
);
replace(
  timersPromises,
  "setTimeout",
  (original) => (ms: number, value: unknown, options: unknown) =>
    active === undefined ? original(ms, value, options) : pause(active, ms),
);
syncBuiltinESMExports();

/** Resolves in the caller's thread after so long; undefined: soon. */
function pause(runtime: Runtime, ms: number | undefined): Promise<void> {
  const owner: Owner = runtime.current;
  return new Promise((resolve) => {
    if (ms === undefined) runtime.soon(owner, resolve);
    else runtime.after(owner, ms, resolve);
  });
}
