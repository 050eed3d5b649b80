import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { loadConfig, type Loaded, type LoadOptions } from "./load.ts";
import type { Language } from "./language.ts";
import { describeProblem } from "./problem.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mailkeep-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const systemFile = "no/such/mailkeep.yaml";

function load(yaml: string | Uint8Array, environment: LoadOptions["environment"] = {}) {
  writeFileSync(path.join(folder, "mailkeep.yaml"), yaml);
  return loadConfig({ environment, directory: folder, systemFile });
}

function loaded(yaml: string, environment: LoadOptions["environment"] = {}): Loaded {
  const result = load(yaml, environment);
  assert.ok(result.ok, result.ok ? "" : result.error.map((problem) => describeProblem(problem, "en")).join("\n"));
  return result.value;
}

function complaints(
  yaml: string | Uint8Array,
  environment: LoadOptions["environment"] = {},
  language: Language = "en",
) {
  const result = load(yaml, environment);
  assert.ok(!result.ok, "taken without complaint");
  return result.error.map((problem) => describeProblem(problem, language));
}

const wrong: readonly { readonly name: string; readonly yaml: string; readonly says: readonly string[] }[] = [
  {
    name: "a misspelt key",
    yaml: "limits:\n  mesage_octets: 1 MiB\n",
    says: ["mailkeep.yaml:2:3: limits.mesage_octets: unknown key; did you mean message_octets?"],
  },
  {
    name: "a misspelt section",
    yaml: "sever:\n  hostname: a.example\n",
    says: ["mailkeep.yaml:1:1: sever: unknown key; did you mean server?"],
  },
  {
    name: "a key in the wrong place",
    yaml: "hostname: a.example\n",
    says: ["mailkeep.yaml:1:1: hostname: unknown key; did you mean server.hostname?"],
  },
  {
    name: "a key of a later version",
    yaml: "store:\n  database: sqlite:mailkeep.db\ncluster:\n  lease_seconds: 10\n",
    says: ["mailkeep.yaml:2:3: store.database: unknown key", "mailkeep.yaml:3:1: cluster: unknown key"],
  },
  {
    name: "an unknown key without a value",
    yaml: "storage:\n",
    says: ["mailkeep.yaml:1:1: storage: unknown key; did you mean store?"],
  },
  {
    name: "everything at once, in the order of the file",
    yaml: [
      "server:",
      "  hostname: mail_example .com",
      "  threads: many",
      "tls:",
      "  certificate: cert.pem",
      "  minimum_version: 1.1",
      "limits:",
      "  message_octets: 50 MB",
      "  pop3_idle_seconds: 60",
      "log:",
      "  level: inof",
    ].join("\n"),
    says: [
      'mailkeep.yaml:2:13: server.hostname: expected a host name such as mail.example.com; found "mail_example .com"',
      'mailkeep.yaml:3:12: server.threads: expected a whole number from 0 to 256; found "many"',
      "mailkeep.yaml:5:16: tls.certificate: tls.certificate needs tls.key beside it",
      "mailkeep.yaml:6:20: tls.minimum_version: expected one of 1.2, 1.3; found 1.1",
      'mailkeep.yaml:8:19: limits.message_octets: expected a size such as 64 KiB, from 64 KiB to 1 GiB; found "50 MB"; did you mean 50 MiB?',
      "mailkeep.yaml:9:22: limits.pop3_idle_seconds: expected a whole number from 600 to 86400; found 60",
      'mailkeep.yaml:11:10: log.level: expected one of debug, info, warn, error; found "inof"; did you mean info?',
    ],
  },
  {
    name: "a key without its value",
    yaml: "server:\n  hostname:\n  drain_seconds: 5\n",
    says: ["mailkeep.yaml:2:12: server.hostname: expected a host name such as mail.example.com; found nothing"],
  },
  {
    name: "a section that is a value, a file that is a list",
    yaml: "auth: true\n",
    says: [
      "mailkeep.yaml:1:7: auth: expected keys of this section: allow_cleartext, default_domain, require_app_password, scram, scram_sha1, announce_channel_binding, oauth, client_certificates; found true",
    ],
  },
  {
    name: "a file that is a list",
    yaml: "- server\n",
    says: [
      "mailkeep.yaml:1:1: expected keys of this section: server, listeners, tls, auth, store, limits, retention, intake, log; found a list",
    ],
  },
  {
    name: "no listeners in the list",
    yaml: "listeners: []\n",
    says: ["mailkeep.yaml:1:12: listeners: expected a list of 1 to 64 listeners; found a list"],
  },
  {
    name: "listeners of every wrong kind",
    yaml: [
      "listeners:",
      "  - { protocol: pop, address: 127.0.0.1:110 }",
      "  - { protocol: http, address: 127.0.0.1:80, tls: starttls }",
      "  - { protocol: lmtp, address: unix:lmtp.sock, tls: implicit }",
      "  - { protocol: pop3 }",
      "  - { protocol: smtp, address: ['0.0.0.0:25', ':::25', '[::]:99999'] }",
      "  - { protocol: pop3, adress: 127.0.0.1:111 }",
      "  - { protocol: smtp, address: 127.0.0.1:80, tls: startls }",
      "  - smtp",
    ].join("\n"),
    says: [
      'mailkeep.yaml:2:17: listeners[0].protocol: expected one of pop3, smtp, submission, lmtp, http; found "pop"; did you mean pop3?',
      "mailkeep.yaml:3:51: listeners[1].tls: http cannot have tls: starttls, only none",
      'mailkeep.yaml:4:32: listeners[2].address: expected an address such as 0.0.0.0:110, "[::]:110" or unix:/run/mailkeep/lmtp.sock; found "unix:lmtp.sock"',
      "mailkeep.yaml:4:53: listeners[2].tls: lmtp cannot have tls: implicit, only none or starttls",
      'mailkeep.yaml:5:5: listeners[3].address: expected an address such as 0.0.0.0:110, "[::]:110" or unix:/run/mailkeep/lmtp.sock; found nothing',
      'mailkeep.yaml:6:47: listeners[4].address[1]: expected an address such as 0.0.0.0:110, "[::]:110" or unix:/run/mailkeep/lmtp.sock; found ":::25"',
      'mailkeep.yaml:6:56: listeners[4].address[2]: expected an address such as 0.0.0.0:110, "[::]:110" or unix:/run/mailkeep/lmtp.sock; found "[::]:99999"',
      'mailkeep.yaml:7:5: listeners[5].address: expected an address such as 0.0.0.0:110, "[::]:110" or unix:/run/mailkeep/lmtp.sock; found nothing',
      "mailkeep.yaml:7:23: listeners[5].adress: unknown key; did you mean address?",
      "mailkeep.yaml:8:32: listeners[6].address: 127.0.0.1:80 is already taken by listeners[1]",
      'mailkeep.yaml:8:51: listeners[6].tls: expected one of implicit, starttls, none; found "startls"; did you mean starttls?',
      'mailkeep.yaml:9:5: listeners[7]: expected keys of this section: protocol, address, tls, proxy_protocol_from; found "smtp"',
    ],
  },
  {
    name: "an anchor, an alias, a tag and a key that is there twice",
    yaml: ["server: &all", "  hostname: !host a.example", "  threads: 1", "  threads: 2", "auth: *all"].join("\n"),
    says: ["mailkeep.yaml:2:13: not right as YAML: Unresolved tag: !host"],
  },
  {
    name: "an anchor, an alias and keys that are there twice",
    yaml: ["server: &all", "  hostname: !!str a.example", "  threads: 1", "  threads: 2", "auth: *all"].join("\n"),
    says: [
      "mailkeep.yaml:2:3: server: an anchor (&name) is not taken here",
      "mailkeep.yaml:2:19: server.hostname: a tag (!name) is not taken here",
      "mailkeep.yaml:4:3: server.threads: this key is there twice",
      "mailkeep.yaml:5:7: auth: an alias (*name) is not taken here; write the value itself",
    ],
  },
  {
    name: "a second document",
    yaml: "server:\n  threads: 1\n---\nauth: {}\n",
    says: ["mailkeep.yaml:3:1: a second document begins here (---); only one is taken"],
  },
  {
    name: "a tab for indentation",
    yaml: "server:\n\thostname: a.example\n",
    says: ["mailkeep.yaml:2:1: not right as YAML: Tabs are not allowed as indentation"],
  },
  {
    name: "no domain as postmaster",
    yaml: "server: { postmaster: admin }\nauth: { default_domain: 'exa mple', allow_cleartext: yes }\n",
    says: [
      'mailkeep.yaml:1:23: server.postmaster: expected an address such as admin@example.com; found "admin"',
      'mailkeep.yaml:2:25: auth.default_domain: expected a domain such as example.com; found "exa mple"',
      'mailkeep.yaml:2:54: auth.allow_cleartext: expected true or false; found "yes"',
    ],
  },
];

describe("a wrong configuration is refused with all that is wrong", () => {
  for (const { name, yaml, says } of wrong) {
    it(name, () => assert.deepEqual(complaints(yaml), says));
  }

  it("in Chinese", () => {
    assert.deepEqual(complaints("limits:\n  message_octets: 1 KB\n  foo: 1\n", {}, "zh"), [
      'mailkeep.yaml:2:19: limits.message_octets: 应为大小，例如 64 KiB，范围 64 KiB 至 1 GiB；实际为 "1 KB"；是否想写 1 KiB？',
      "mailkeep.yaml:3:3: limits.foo: 未知的配置项",
    ]);
  });

  it("nested a hundred thousand deep, larger than a megabyte, not UTF-8", () => {
    assert.match(
      complaints("[".repeat(100_000))[0] ?? "",
      /^mailkeep\.yaml:\d+:\d+: (?:not right as YAML|this is nested)/,
    );
    assert.match(complaints(`server: ${"[".repeat(20)}${"]".repeat(20)}`).join("\n"), /this is nested too deeply$/m);
    assert.deepEqual(complaints(`#${"x".repeat(1024 * 1024)}`), [
      "cannot read the configuration mailkeep.yaml: it is larger than 1 MiB",
    ]);
    assert.deepEqual(complaints(new Uint8Array([0x23, 0xff, 0x0a])), [
      "cannot read the configuration mailkeep.yaml: it is not UTF-8",
    ]);
  });

  it("P7: never prints the value of an unknown key, which may be a secret", () => {
    assert.ok(!complaints("auth:\n  password: hunter2\n").join().includes("hunter2"));
  });
});

describe("a right configuration", () => {
  it("has a default for everything: loopback only", () => {
    const { config, file, sources } = loaded("");
    assert.equal(file, "mailkeep.yaml");
    assert.equal(config.limits.messageOctets, 50 * 1024 * 1024);
    assert.equal(config.server.dataDirectory, path.join(folder, "data"));
    assert.equal(config.auth.allowCleartext, false);
    assert.deepEqual(
      config.listeners.map(({ protocol, tls, address }) => [protocol, tls, ...address]),
      [
        ["pop3", "starttls", { kind: "tcp", host: "127.0.0.1", port: 1110 }],
        ["pop3", "implicit", { kind: "tcp", host: "127.0.0.1", port: 1995 }],
        ["smtp", "starttls", { kind: "tcp", host: "127.0.0.1", port: 1025 }],
        ["submission", "starttls", { kind: "tcp", host: "127.0.0.1", port: 1587 }],
        ["lmtp", "none", { kind: "tcp", host: "127.0.0.1", port: 1024 }],
        ["http", "none", { kind: "tcp", host: "127.0.0.1", port: 8080 }],
      ],
    );
    assert.equal(sources.get("server.hostname"), undefined);
  });

  it("takes the contract's example", () => {
    const { config, sources } = loaded(`
server:
  hostname: mail.例子.测试
  data_directory: /var/lib/mailkeep
  postmaster: Admin@Example.com
  threads: 0
  drain_seconds: 30
listeners:
  - protocol: pop3
    address: ["0.0.0.0:110", "[::]:110"]
    tls: starttls
  - { protocol: lmtp, address: "unix:/run/mailkeep/lmtp.sock" }
tls:
  certificate: cert.pem
  key: /etc/key.pem
  minimum_version: 1.3
limits:
  message_octets: 64 KiB
  mailbox_octets: 1.5GiB
  mailbox_messages: 1000000
`);
    assert.equal(config.server.hostname, "mail.xn--fsqu00a.xn--0zwm56d");
    assert.equal(config.server.postmaster, "admin@example.com");
    assert.deepEqual(config.listeners[0]?.address[1], { kind: "tcp", host: "::", port: 110 });
    assert.deepEqual(config.listeners[1], {
      protocol: "lmtp",
      address: [{ kind: "unix", path: "/run/mailkeep/lmtp.sock" }],
      proxyProtocolFrom: [],
      tls: "none",
    });
    assert.deepEqual(config.tls, {
      certificate: path.join(folder, "cert.pem"),
      key: "/etc/key.pem",
      minimumVersion: "1.3",
    });
    assert.equal(config.limits.messageOctets, 65_536);
    assert.equal(config.limits.mailboxOctets, 1.5 * 1024 ** 3);
    assert.deepEqual(sources.get("limits.message_octets"), {
      kind: "file",
      file: "mailkeep.yaml",
      line: 18,
      column: 19,
    });
  });

  it("takes sections of which nothing but comments is left", () => {
    assert.equal(loaded("server:\n  # hostname: x\nlisteners:\nlimits:\n").config.listeners.length, 6);
  });
});

describe("the environment", () => {
  it("overrides keys, as YAML where the key is no text", () => {
    const { config, sources } = loaded(
      "limits:\n  message_octets: 1 MiB\nlisteners:\n  - { protocol: http, address: 'h:1' }\n",
      {
        MAILKEEP_LIMITS__MESSAGE_OCTETS: "2 MiB",
        MAILKEEP_AUTH__ALLOW_CLEARTEXT: "true",
        MAILKEEP_TLS__MINIMUM_VERSION: "1.3",
        MAILKEEP_SERVER__DATA_DIRECTORY: "elsewhere",
        MAILKEEP_LISTENERS: "[{ protocol: pop3, address: 127.0.0.1:0 }]",
        MAILKEEP_PORT: "tcp://10.0.0.1:80",
        MAILKEEP_LAUNCHER_FD: "3",
        UNRELATED__KEY: "x",
      },
    );
    assert.equal(config.limits.messageOctets, 2 * 1024 * 1024);
    assert.equal(config.auth.allowCleartext, true);
    assert.equal(config.tls.minimumVersion, "1.3");
    assert.equal(config.server.dataDirectory, path.join(folder, "elsewhere"));
    assert.deepEqual(
      config.listeners.map(({ protocol }) => protocol),
      ["pop3"],
    );
    assert.deepEqual(sources.get("limits.message_octets"), {
      kind: "environment",
      name: "MAILKEEP_LIMITS__MESSAGE_OCTETS",
    });
    assert.equal(sources.get("listeners[0].protocol"), undefined);
  });

  it("is refused where a name or a value is wrong, beside what is wrong in the file", () => {
    const environment = {
      MAILKEEP_LIMITS__MESAGE_OCTETS: "1",
      MAILKEEP_SERVER_HOSTNAME: "a.example",
      MAILKEEP_LOG__LEVEL: "loud",
      MAILKEEP_SERVER__THREADS: "[",
      MAILKEEP_LISTENERS: "[{ protocol: pop3 }]",
    };
    assert.deepEqual(complaints("foo: 1\n", environment), [
      "mailkeep.yaml:1:1: foo: unknown key",
      "environment MAILKEEP_LIMITS__MESAGE_OCTETS: this variable names no key; did you mean MAILKEEP_LIMITS__MESSAGE_OCTETS?",
      "environment MAILKEEP_SERVER_HOSTNAME: this variable names no key; did you mean MAILKEEP_SERVER__HOSTNAME?",
      "environment MAILKEEP_SERVER__THREADS: server.threads: not right as YAML: Flow sequence must end with a ]",
      'environment MAILKEEP_LISTENERS: listeners[0].address: expected an address such as 0.0.0.0:110, "[::]:110" or unix:/run/mailkeep/lmtp.sock; found nothing',
      'environment MAILKEEP_LOG__LEVEL: log.level: expected one of debug, info, warn, error; found "loud"',
    ]);
  });
});

describe("the file that is read", () => {
  const at = (given: LoadOptions) => loadConfig({ directory: folder, environment: {}, systemFile, ...given });

  it("is none where there is none", () => {
    const result = at({});
    assert.ok(result.ok);
    assert.equal(result.value.file, undefined);
    assert.equal(result.value.config.server.dataDirectory, path.join(folder, "data"));
  });

  it("is the named one, then MAILKEEP_CONFIG, then ./mailkeep.yaml, then the system's", () => {
    mkdirSync(path.join(folder, "etc"));
    for (const [name, threads] of [
      ["etc/a.yaml", 1],
      ["b.yaml", 2],
      ["etc/system.yaml", 4],
    ] as const) {
      writeFileSync(path.join(folder, name), `server: { threads: ${threads}, data_directory: mail }`);
    }
    const threads = (given: LoadOptions) => {
      const result = at({ systemFile: "etc/system.yaml", ...given });
      assert.ok(result.ok);
      return [result.value.config.server.threads, path.relative(folder, result.value.config.server.dataDirectory)];
    };
    assert.deepEqual(threads({ file: "etc/a.yaml", environment: { MAILKEEP_CONFIG: "b.yaml" } }), [1, "etc/mail"]);
    assert.deepEqual(threads({ environment: { MAILKEEP_CONFIG: "b.yaml" } }), [2, "mail"]);
    assert.deepEqual(threads({ environment: { MAILKEEP_CONFIG: "" } }), [4, "etc/mail"]);
    writeFileSync(path.join(folder, "mailkeep.yaml"), "server: { threads: 3 }");
    assert.deepEqual(threads({}), [3, "data"]);
  });

  it("must be there when it was named, and readable when it is there", () => {
    const says = (given: LoadOptions) => {
      const result = at(given);
      return result.ok ? [] : result.error.map((problem) => describeProblem(problem, "en"));
    };
    assert.deepEqual(says({ file: "gone.yaml" }), ["cannot read the configuration gone.yaml: there is no such file"]);
    assert.deepEqual(says({ environment: { MAILKEEP_CONFIG: "gone.yaml" } }), [
      "cannot read the configuration gone.yaml: there is no such file",
    ]);
    mkdirSync(path.join(folder, "mailkeep.yaml"));
    assert.deepEqual(says({}), ["cannot read the configuration mailkeep.yaml: it is a folder"]);
  });
});
