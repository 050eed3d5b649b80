import assert from "node:assert/strict";
import { test } from "node:test";
import { createThrottle, type Throttle } from "./throttle.ts";

const HOUR = 3_600_000;
const home = "198.51.100.7";

/** One try, with the waits kept; true: it was judged. */
function guess(throttle: Throttle, name: string, network: string, password: number, now: number): boolean {
  if (throttle.wait(name, network, now) > 0 || !throttle.begin(name, network, now)) return false;
  throttle.failed(name, network, password, now);
  throttle.done(name, network);
  return true;
}

test("five failures are free, then each one doubles the wait up to a quarter of an hour", () => {
  const throttle = createThrottle();
  const waits: number[] = [];
  let now = 0;
  for (let n = 1; n <= 17; n++) {
    throttle.failed("ann", home, n, now);
    waits.push(throttle.wait("ann", home, now));
    now += (waits.at(-1) ?? 0) * 1000;
    assert.equal(throttle.wait("ann", home, now), 0, "the wait is over when it says so");
  }
  assert.deepEqual(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
});

test("a right password clears what was counted, for that network only", () => {
  const throttle = createThrottle();
  for (let n = 1; n <= 8; n++) {
    throttle.failed("ann", home, n, 0);
    throttle.failed("ann", "203.0.113.9", n, 0);
  }
  throttle.succeeded("ann", home, 10_000);
  assert.equal(throttle.wait("ann", home, 0), 0);
  assert.equal(throttle.wait("ann", "203.0.113.9", 0), 8);
});

test("failures are forgotten after an hour without another", () => {
  const throttle = createThrottle();
  for (let n = 1; n <= 10; n++) throttle.failed("ann", home, n, 0);
  throttle.failed("ann", home, 11, HOUR + 1);
  assert.equal(throttle.wait("ann", home, HOUR + 1), 0);
});

test("only news are told to other threads: a first success, a cleared failure, a day that has passed", () => {
  const throttle = createThrottle();
  assert.equal(throttle.succeeded("ann", home, 0), true);
  assert.equal(throttle.succeeded("ann", home, 1000), false);
  throttle.failed("ann", home, 1, 2000);
  assert.equal(throttle.succeeded("ann", home, 3000), true);
  assert.equal(throttle.succeeded("ann", home, 25 * HOUR), true);
});

test("one flood of attempts at a time runs into the bound of checks at a time", () => {
  const throttle = createThrottle();
  const begun = Array.from({ length: 20 }, () => throttle.begin("ann", home, 0)).filter(Boolean).length;
  assert.equal(begun, 8);
  for (let n = 0; n < begun; n++) throttle.done("ann", home);
  assert.equal(throttle.begin("ann", home, 0), true);
});

test("500 people behind one address, two with an old password each minute: nobody else is ever delayed", () => {
  const throttle = createThrottle();
  for (let minute = 0; minute < 24 * 60; minute++) {
    const now = minute * 60_000;
    assert.equal(guess(throttle, "old1", home, 77, now), true, "the device itself is let try again each minute");
    guess(throttle, "old2", home, 78, now);
    const person = `person${minute % 498}`;
    assert.equal(throttle.wait(person, home, now + 1), 0);
    throttle.succeeded(person, home, now + 1);
  }
});

test("someone who tries one password on many accounts is stopped by the network's rule; loopback has none", () => {
  const throttle = createThrottle();
  let judged = 0;
  for (let second = 0; second < 300; second++) {
    for (let n = 0; n < 10; n++) if (guess(throttle, `user${second * 10 + n}`, home, 1, second * 1000)) judged += 1;
  }
  assert.ok(judged < 40, `${judged} accounts tried in five minutes`);
  for (const local of ["127.0.0.1", "unix", "0:0:0:0::/64"]) {
    for (let n = 0; n < 100; n++) throttle.failed(`user${n}`, local, 1, 0);
    assert.equal(throttle.wait("neighbour", local, 0), 0);
    for (let n = 0; n < 10; n++) throttle.failed("ann", local, n, 0);
    assert.ok(throttle.wait("ann", local, 0) > 0, "an account counts there too");
  }
});

test("sixteen tasks that guess without pause get fewer than 100 guesses in five minutes", () => {
  const throttle = createThrottle();
  let judged = 0;
  for (let tick = 0; tick < 3000; tick++) {
    for (let task = 0; task < 16; task++) {
      if (guess(throttle, "ann", home, tick * 16 + task, tick * 100)) judged += 1;
    }
  }
  assert.ok(judged < 100, `${judged} guesses`);
});

test("5,000 addresses get less than a guess a second at one account, and its owner is not delayed", () => {
  const throttle = createThrottle();
  throttle.succeeded("ann", home, 0);
  let judged = 0;
  for (let second = 1; second <= 600; second++) {
    for (let n = 0; n < 100; n++) {
      const bot = (second * 100 + n) % 5000;
      if (guess(throttle, "ann", `10.${bot >> 8}.${bot & 255}.1`, second * 100 + n, second * 1000)) judged += 1;
    }
    assert.equal(throttle.wait("ann", home, second * 1000), 0, "from the address known");
    assert.equal(throttle.wait("ann", "198.51.100.99", second * 1000), 0, "from its /24");
  }
  assert.ok(judged < 600, `${judged} guesses in ten minutes`);
  assert.ok(throttle.wait("ann", "192.0.2.1", 600_000) > 0, "a stranger waits");
});

test("what waits is listed, the longest first, and cleared by account or network", () => {
  const fill = (): Throttle => {
    const throttle = createThrottle();
    for (let n = 0; n < 9; n++) throttle.failed("ann", home, n, 0);
    for (let n = 0; n < 6; n++) throttle.failed("ann", "2001:db8:0:1::/64", n, 0);
    for (let n = 0; n < 24; n++) throttle.failed(`user${n}`, "203.0.113.9", n, 0);
    for (let n = 0; n < 30; n++) throttle.failed("bob", `192.0.2.${n}`, n, 0);
    return throttle;
  };
  const listed = (throttle: Throttle): string[] =>
    throttle.penalties(0).map((each) => [each.of, each.account, each.network, each.failures, each.seconds].join(" "));
  assert.deepEqual(listed(fill()), [
    "account bob  30 44",
    "account from network ann 198.51.100.7 9 16",
    "network  203.0.113.9 24 8",
    "account from network ann 2001:db8:0:1::/64 6 2",
  ]);
  assert.deepEqual(fill().penalties(60_000), [], "what is over is not listed");

  const byAccount = fill();
  assert.equal(byAccount.clear({ account: "ann" }, 0), 2);
  assert.deepEqual(listed(byAccount), ["account bob  30 44", "network  203.0.113.9 24 8"]);
  const byNetwork = fill();
  assert.equal(byNetwork.clear({ network: "203.0.113.9" }, 0), 1);
  assert.equal(byNetwork.wait("user77", "203.0.113.9", 0), 0);
  assert.equal(listed(byNetwork).length, 3);
  const byBoth = fill();
  assert.equal(byBoth.clear({ account: "ann", network: home }, 0), 1);
  assert.equal(listed(byBoth).length, 3);
  const all = fill();
  assert.equal(all.clear({}, 0), 4);
  assert.deepEqual(listed(all), []);
  for (let n = 100; n < 104; n++) all.failed("ann", home, n, 0);
  assert.equal(all.wait("ann", home, 0), 0, "what did not wait yet is forgotten too");
});

test("loopback counts as a network where a proxy named the peer", () => {
  const throttle = createThrottle();
  for (let n = 0; n < 30; n++) throttle.failed(`user${n}`, "127.0.0.1", n, 0, true);
  assert.ok(throttle.wait("neighbour", "127.0.0.1", 0) > 0);
});

test("a device that was known before the start is known, for 30 days from its last success", () => {
  const throttle = createThrottle();
  const days = (count: number): number => count * 24 * HOUR;
  throttle.seed("ann", "198.51.100.0/24", days(29), 0);
  throttle.seed("ann", "198.51.100.0/24", days(35), 0);
  throttle.seed("ann", "2001:db8:0:1::/64", days(29), 0);
  throttle.seed("ann", "unix", 0, 0);
  for (const at of [0, days(2)]) {
    for (let n = 0; n < 40; n++) throttle.failed("ann", `192.0.2.${n}`, n, at);
    assert.equal(throttle.wait("ann", "unix", at), 0);
    for (const network of [home, "2001:db8:0:1::/64"]) assert.equal(throttle.wait("ann", network, at) > 0, at > 0);
  }
});

test("guesses that were under way when the trickle ran dry are owed", () => {
  const throttle = createThrottle();
  let judged = 0;
  // Sixteen at a time, each from an address of its own, whenever one is let through.
  for (let second = 0; second < 3600; second++) {
    const begun = Array.from({ length: 20 }, (_, n) => `10.${second >> 8}.${second & 255}.${n}`).filter((network) => {
      return throttle.wait("ann", network, second * 1000) === 0 && throttle.begin("ann", network, second * 1000);
    });
    for (const network of begun) {
      throttle.failed("ann", network, judged++, second * 1000);
      throttle.done("ann", network);
    }
  }
  assert.ok(judged <= 3600 * 0.25 + 36, `${judged} guesses in an hour`);
});

test("P6: memory is bounded, and so is what another throttle is told; known devices are told all", () => {
  const throttle = createThrottle();
  for (let n = 0; n < 17_000; n++) {
    const network = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    throttle.failed(`user${n}@example.test`, network, n, n);
    throttle.seed(`user${n}@example.test`, `${network}/24`, 0, n);
  }
  const state = throttle.state(17_000);
  const told = [state.pairs, state.networks, state.trickles, state.known].map((entries) => entries.length);
  assert.deepEqual(told, [4096, 4096, 4096, 16_384]);
  assert.equal(state.pairs.at(-1)?.key, "10.0.66.103 user16999@example.test", "the newest last");
});

test("what another throttle knew adds to what is known, and the stricter holds", () => {
  const one = createThrottle();
  const other = createThrottle();
  for (let n = 0; n < 7; n++) one.failed("ann", home, n, 100);
  for (let n = 0; n < 9; n++) other.failed("ann", home, n, 5000);
  for (let n = 0; n < 30; n++) other.failed(`user${n}`, "203.0.113.9", n, 5000);
  other.learn(one.state(100), 5000);
  assert.equal(other.wait("ann", home, 5000), 16);
  one.learn(other.state(5000), 100);
  assert.equal(one.wait("ann", home, 100), 16);
  assert.equal(one.wait("neighbour", "203.0.113.9", 100), other.wait("neighbour", "203.0.113.9", 5000));
});
