import assert from "node:assert/strict";
import { test } from "node:test";
import { pauseAfter } from "./refusal-pause.ts";
import { createThrottle, type Throttle } from "./throttle.ts";

/*
 * Fairness by simulation with the real limiter: four protocol threads with a throttle each, what one learns reaching the
 * others a moment later, checks that take their time, refusals that are held (P10). Time is virtual, chance is seeded.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const THREADS = 4;
const CHECK_MS = 15;
const NEWS_MS = 1;

type Try = {
  readonly name: string;
  readonly network: string;
  /** A number stands for a password; 0 is the right one. */
  readonly password: number;
  /** Whether it was found right before, and costs no check. */
  readonly cached?: boolean;
};
/** "right" or "wrong" was judged; "delayed" was not. */
type Outcome = "right" | "wrong" | "delayed";

class Simulation {
  now = 0;
  readonly threads: readonly Throttle[] = Array.from({ length: THREADS }, createThrottle);
  readonly #due = new Map<number, (() => void)[]>();
  /** When something is due, the next time last. */
  readonly #times: number[] = [];
  #seed = 1;

  /** The next number of a fixed sequence, below `limit`. */
  random(limit: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#seed / 2 ** 32) * limit);
  }

  at(time: number, act: () => void): void {
    const when = Math.ceil(time);
    const acts = this.#due.get(when);
    if (acts) return void acts.push(act);
    this.#due.set(when, [act]);
    let low = 0;
    for (let high = this.#times.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] ?? 0) > when) low = middle + 1;
      else high = middle;
    }
    this.#times.splice(low, 0, when);
  }

  run(until: number): void {
    for (let next = this.#times.at(-1); next !== undefined && next < until; next = this.#times.at(-1)) {
      this.now = next;
      // What is due at once may be added while it runs.
      for (const act of this.#due.get(next) ?? []) act();
      this.#due.delete(next);
      this.#times.splice(this.#times.lastIndexOf(next), 1);
    }
    this.now = until;
  }

  /** Tries to log in now, by whichever thread the connection went to; `answered` is called when the client hears. */
  attempt(tried: Try, answered: (outcome: Outcome) => void): void {
    const { name, network, password, cached = false } = tried;
    const throttle = this.threads[this.random(THREADS)] as Throttle;
    const began = this.now;
    const refuse = (outcome: Outcome): void =>
      this.at(this.now + pauseAfter(this.now - began), () => answered(outcome));
    if (throttle.wait(name, network, this.now) > 0) return refuse("delayed");
    if (!cached && !throttle.begin(name, network, this.now)) return refuse("delayed");
    this.at(this.now + (cached ? 0 : CHECK_MS), () => {
      if (!cached) throttle.done(name, network);
      if (password === 0) {
        if (throttle.succeeded(name, network, this.now))
          this.#tell(throttle, (other) => other.succeeded(name, network, this.now));
        return answered("right");
      }
      throttle.failed(name, network, password, this.now);
      this.#tell(throttle, (other) => other.failed(name, network, password, this.now));
      return refuse("wrong");
    });
  }

  #tell(from: Throttle, news: (other: Throttle) => void): void {
    this.at(this.now + NEWS_MS, () => {
      for (const other of this.threads) if (other !== from) news(other);
    });
  }
}

/** Guesses as fast as it is answered; each guess another password. Gives the count of those that were judged. */
function guesser(simulation: Simulation, name: string, network: string, begins: number, judged: () => void): void {
  const guess = (): void => {
    const password = 1 + simulation.random(2 ** 31);
    simulation.attempt({ name, network, password }, (outcome) => {
      if (outcome !== "delayed") judged();
      simulation.at(simulation.now + 1, guess);
    });
  };
  simulation.at(begins, guess);
}

/** Logs in every so often; counts its logins that were delayed. */
function poller(simulation: Simulation, login: Try, every: number, delayed: () => void): void {
  let tried = login;
  const poll = (): void => {
    const due = simulation.now + every;
    simulation.attempt(tried, (outcome) => {
      if (outcome === "delayed") delayed();
      else if (outcome === "right") tried = { ...login, cached: true };
    });
    simulation.at(due, poll);
  };
  simulation.at(simulation.random(every), poll);
}

test("500 people behind one address, 2 of them with an old password retried every minute: nobody is ever delayed", (t) => {
  const simulation = new Simulation();
  const network = "198.51.100.7";
  let logins = 0;
  const delayed: string[] = [];
  for (let n = 0; n < 500; n++) {
    const name = `person${n}@example.test`;
    // The first two have a phone with the old password, and like everybody a program with the right one beside it.
    poller(simulation, { name, network, password: 0 }, 5 * MINUTE, () => delayed.push(name));
    if (n < 2) poller(simulation, { name, network, password: 7 }, MINUTE, () => delayed.push(`${name}'s old phone`));
    // Everybody mistypes once, at some time of the day, and then gets it right.
    simulation.at(simulation.random(24 * 60 * MINUTE), () => {
      simulation.attempt({ name, network, password: 9 }, () =>
        simulation.attempt({ name, network, password: 0 }, (outcome) => {
          logins += 1;
          if (outcome !== "right") delayed.push(`${name} after a slip`);
        }),
      );
    });
  }
  simulation.run(24 * 60 * MINUTE);
  t.diagnostic(
    `a day: ${500 * 288} logins, ${2 * 1440} with an old password, ${logins} after a slip; ${delayed.length} delayed`,
  );
  assert.deepEqual(delayed, []);
  assert.ok(logins >= 495);
});

test("a botnet of 5,000 addresses gets less than one guess a second, and the owner, from a known device, no delay", (t) => {
  const simulation = new Simulation();
  const name = "ann@example.test";
  let guesses = 0;
  let delayed = 0;
  let stranger = 0;
  simulation.attempt({ name, network: "198.51.100.7", password: 0 }, (outcome) => assert.equal(outcome, "right"));
  simulation.run(SECOND);
  for (let n = 0; n < 5000; n++) {
    guesser(simulation, name, `10.${n >> 8}.${n & 255}.1`, SECOND + simulation.random(SECOND), () => (guesses += 1));
  }
  poller(simulation, { name, network: "198.51.100.7", password: 0 }, 10 * SECOND, () => (delayed += 1));
  // The telephone company gives another address of the same /24, and the password is checked anew each time.
  poller(simulation, { name, network: "198.51.100.99", password: 0 }, 10 * SECOND, () => (delayed += 1));
  poller(simulation, { name, network: "203.0.113.1", password: 9 }, 10 * SECOND, () => (stranger += 1));
  const seconds = 300;
  simulation.run(seconds * SECOND);
  t.diagnostic(
    `${guesses} guesses in ${seconds} seconds; owner's logins delayed: ${delayed}; a stranger's: ${stranger} of 30`,
  );
  assert.ok(guesses < seconds, `${guesses} guesses in ${seconds} seconds`);
  assert.equal(delayed, 0);
  assert.ok(stranger > 0);
});

for (const [from, network, known] of [
  ["an address that is nobody's", "203.0.113.9", false],
  ["the owner's own address", "203.0.113.9", true],
  ["loopback", "127.0.0.1", false],
] as const) {
  test(`16 tasks that guess from ${from} get fewer than 100 guesses in five minutes`, (t) => {
    const simulation = new Simulation();
    const name = "ann@example.test";
    if (known) simulation.attempt({ name, network, password: 0 }, () => {});
    let guesses = 0;
    for (let task = 0; task < 16; task++) guesser(simulation, name, network, 100 + task, () => (guesses += 1));
    simulation.run(5 * MINUTE);
    t.diagnostic(`${guesses} guesses`);
    assert.ok(guesses > 4 && guesses < 100, `${guesses} guesses`);
  });
}
