import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { changes, exampleFile, explain, jsonSchema } from "./explain.ts";
import { loadConfig, type Loaded } from "./load.ts";
import { options } from "./options.ts";
import { describeProblem, describeSource } from "./problem.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep-explain-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function loaded(yaml: string, environment: Readonly<Record<string, string>> = {}): Loaded {
  writeFileSync(path.join(folder, "mailkeep.yaml"), yaml);
  const result = loadConfig({ directory: folder, environment });
  assert.ok(result.ok, result.ok ? "" : result.error.map((one) => describeProblem(one, "en")).join("\n"));
  return result.value;
}

function isInGroup(keys: readonly string[]): boolean {
  return options.some(({ meta, path: group }) => {
    return meta.group !== undefined && group.length < keys.length && group.every((step, at) => keys[at] === step);
  });
}

describe("config show", () => {
  it("says of every value where it came from", () => {
    const yaml = "limits:\n  message_octets: 1024 KiB\nlisteners:\n  - protocol: lmtp\n    address: unix:/l.sock\n";
    const rows = explain(loaded(yaml, { MAILKEEP_LOG__LEVEL: "warn" }));
    const shown = new Map(rows.map(({ key, value, source }) => [key, [value, describeSource(source, "en")]]));
    assert.deepEqual(shown.get("limits.message_octets"), ["1 MiB", "mailkeep.yaml:2:19"]);
    assert.deepEqual(shown.get("listeners[0].address"), ["unix:/l.sock", "mailkeep.yaml:5:14"]);
    assert.deepEqual(shown.get("listeners[0].tls"), ["none", "default"]);
    assert.deepEqual(shown.get("log.level"), ["warn", "environment MAILKEEP_LOG__LEVEL"]);
    assert.deepEqual(shown.get("server.postmaster"), [undefined, "default"]);
    assert.deepEqual(shown.get("auth.oauth"), [undefined, "default"]);
    // What lies in a group that is not there has no row.
    assert.equal(rows.length, options.filter(({ path: keys }) => !isInGroup(keys)).length);
  });

  it("shows listeners of the environment as its own, and the embedded ones as defaults", () => {
    const own = explain(loaded("", { MAILKEEP_LISTENERS: "[{ protocol: pop3, address: 'a.example:1' }]" }));
    const row = own.find(({ key }) => key === "listeners[0].protocol");
    assert.deepEqual(row?.source, { kind: "environment", name: "MAILKEEP_LISTENERS" });
    const embedded = explain(loaded("")).filter(({ key }) => key.startsWith("listeners["));
    assert.equal(embedded.length, 24);
    assert.ok(embedded.every(({ source }) => source.kind === "default"));
  });
});

describe("a reload", () => {
  it("tells lists and maps inside a section as a whole, and what is more than a text by its meaning", () => {
    const one = '{ issuer: "https://a.example", audience: x }';
    const changed = (yaml: string, other: string) => changes(loaded(yaml).config, loaded(other).config).live;
    assert.deepEqual(changed(`auth: { oauth: [${one}] }`, "auth: { oauth: [] }"), ["auth.oauth"]);
    assert.deepEqual(changed(`auth: { oauth: [${one}] }`, `auth: { oauth: [${one}], scram: auto }`), []);
    const header = (text: string) => `intake: { junk_header: "${text}" }`;
    assert.deepEqual(changed(header("X-Spam: YES"), header("X-Spam:YES")), []);
    assert.deepEqual(changed(header("X-Spam: YES"), header("X-Spam: YES!")), ["intake.junk_header"]);
  });

  const before = "server: { hostname: a.example }\nlisteners: [{ protocol: pop3, address: 'h.example:1' }]\n";

  it("names what may change while the server runs and what may not", () => {
    const after = loaded("server: { hostname: b.example, drain_seconds: 1 }\nlog: { level: debug }\n").config;
    assert.deepEqual(changes(loaded(before).config, after), {
      live: ["server.drain_seconds", "log.level"],
      restart: ["server.hostname", "listeners"],
    });
  });

  it("sees no change where only the spelling differs", () => {
    const after = loaded(`${before}limits: { message_octets: 51200 KiB }\n`).config;
    assert.deepEqual(changes(loaded(before).config, after), { live: [], restart: [] });
  });
});

describe("config example", () => {
  for (const language of ["en", "zh"] as const) {
    it(`is right as it stands, and with every option taken in (${language})`, () => {
      // The files that it names are there.
      const file = path.join(folder, "named.pem");
      writeFileSync(file, "-----BEGIN CERTIFICATE-----\n");
      const text = exampleFile(language).replaceAll(/\/(?:etc|run)\/\S*(?:clients\.pem|oauth)(?=\s)/g, file);
      assert.equal(loaded(text).sources.get("server.hostname"), undefined);
      const names = options.map(({ path: keys }) => keys.at(-1)).join("|");
      const whole = loaded(text.replace(new RegExp(`^( +)# (?= *(?:- )?(?:${names}):)`, "gm"), "$1"));
      for (const { path: keys } of options) {
        const key = keys.join(".").replaceAll(".*.", "[0].");
        assert.ok(whole.sources.has(key), `${key} is not in the example`);
      }
    });
  }
});

describe("config schema", () => {
  it("knows every option with its help, and refuses others", () => {
    const text = JSON.stringify(jsonSchema("en"));
    for (const { meta } of options) assert.ok(text.includes(JSON.stringify(meta.help.en)), meta.help.en);
    const { additionalProperties } = jsonSchema("en") as { additionalProperties?: unknown };
    assert.equal(additionalProperties, false);
    assert.ok(text.includes('"enum":["1.2","1.3"]'));
  });
});
