import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadConfig } from "./load.ts";
import { describeProblem, type Problem } from "./problem.ts";

/** Loads a configuration of variables alone. */
function load(environment: Readonly<Record<string, string>>) {
  return loadConfig({ environment, directory: "/nonexistent", systemFile: "/nonexistent/mailkeep.yaml" });
}

function says(problems: readonly Problem[]): readonly string[] {
  return problems.map((problem) => describeProblem(problem, "en").replace(/^environment \w+: /, ""));
}

function listener(networks: string) {
  return load({ MAILKEEP_LISTENERS: `[{ protocol: pop3, address: "h.example:1", proxy_protocol_from: ${networks} }]` });
}

describe("networks", () => {
  it("are one or a list, of both families", () => {
    for (const [text, networks] of [
      ["10.0.0.0/8", [{ network: [10, 0, 0, 0], bits: 8 }]],
      ["[]", []],
      [
        '[192.0.2.1, "::/0"]',
        [
          { network: [192, 0, 2, 1], bits: 32 },
          { network: Array<number>(16).fill(0), bits: 0 },
        ],
      ],
    ] as const) {
      const result = listener(text);
      assert.ok(result.ok);
      assert.deepEqual(result.value.config.listeners[0]?.proxyProtocolFrom, networks);
    }
  });

  it("that are none are named one by one", () => {
    const result = listener('[10.0.0.0/33, "10.0.0.1/8", 10.0.0.0/8]');
    assert.ok(!result.ok);
    assert.deepEqual(says(result.error), [
      'listeners[0].proxy_protocol_from[0]: expected a network such as 10.0.0.0/8 or 2001:db8::/32; found "10.0.0.0/33"',
      "listeners[0].proxy_protocol_from[1]: this address has bits behind its prefix; write the network's first address, or the address alone",
    ]);
  });

  for (const [what, given] of [
    ["http", "{ protocol: http, address: h.example:1, proxy_protocol_from: 10.0.0.0/8 }"],
    ["a unix socket", "{ protocol: lmtp, address: unix:/run/x.sock, proxy_protocol_from: 10.0.0.0/8 }"],
  ] as const) {
    it(`a listener of ${what} has none`, () => {
      const result = load({ MAILKEEP_LISTENERS: `[${given}]` });
      assert.ok(!result.ok);
      const problem = `listeners[0].proxy_protocol_from: a listener of ${what} cannot have proxy_protocol_from`;
      assert.deepEqual(says(result.error), [problem]);
    });
  }
});

describe("a header field", () => {
  for (const [text, mark] of [
    ["X-Spam-Flag: YES", { name: "X-Spam-Flag", value: "YES" }],
    ["X-Spam:\tvery  much\t", { name: "X-Spam", value: "very  much" }],
    ["X: :", { name: "X", value: ":" }],
    ["X-Spam-Flag", undefined],
    ["X-Spam-Flag:", undefined],
    ["X Spam: YES", undefined],
    ["Ünïcode: YES", undefined],
    ["X: a\nY: b", undefined],
  ] as const) {
    it(JSON.stringify(text), () => {
      const result = load({ MAILKEEP_INTAKE__JUNK_HEADER: text });
      assert.deepEqual(result.ok ? result.value.config.intake.junkHeader : undefined, mark);
    });
  }
});

describe("a URL", () => {
  for (const [issuer, right] of [
    ["https://login.example.com/realm", true],
    ["http://127.0.0.1:4444/", true],
    ["http://[::1]:4444", true],
    ["http://localhost", true],
    ["http://login.example.com", false],
    ["http://127.0.0.1.example.com", false],
    ["https://user:secret@login.example.com", false],
    ["https://login.example.com/#x", false],
    ["login.example.com", false],
  ] as const) {
    it(`${issuer} is ${right ? "taken" : "refused"}`, () => {
      const result = load({ MAILKEEP_AUTH__OAUTH: `[{ issuer: "${issuer}", audience: x }]` });
      assert.equal(result.ok, right);
      if (result.ok) assert.equal(result.value.config.auth.oauth[0]?.issuer, issuer);
    });
  }

  it("names one provider once", () => {
    const result = load({
      MAILKEEP_AUTH__OAUTH:
        '[{ issuer: "https://a.example", audience: x }, { issuer: "https://a.example", audience: y }]',
    });
    assert.ok(!result.ok);
    assert.deepEqual(says(result.error), ["auth.oauth[1].issuer: https://a.example is already named by auth.oauth[0]"]);
  });
});
