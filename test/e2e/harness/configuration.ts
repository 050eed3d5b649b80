import type { Certificate } from "./certificate.ts";
import type { Ports } from "./ports.ts";

/** Sections of the configuration, by name. */
export type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The domain that the tests' accounts live in. */
export const domain = "e2e.test";

/** The configuration of an installation as text: JSON is YAML 1.2. Keys of `changes` take the place of the harness's. */
export function configurationText(ports: Ports, tls: Certificate, data: string, changes: Sections = {}): string {
  const sections: Record<string, Readonly<Record<string, unknown>>> = {
    server: { hostname: "mail.e2e.test", data_directory: data, postmaster: `keeper@${domain}`, drain_seconds: 5 },
    tls: { certificate: tls.certificate, key: tls.key },
    log: { level: "info", format: "json" },
  };
  for (const [name, keys] of Object.entries(changes)) sections[name] = { ...sections[name], ...keys };
  return `${JSON.stringify({ ...sections, listeners: listeners(ports) }, null, 2)}\n`;
}

function listeners(ports: Ports): readonly object[] {
  return [
    listener("pop3", ports.pop3, "starttls"),
    listener("pop3", ports.pop3s, "implicit"),
    listener("smtp", ports.smtp, "starttls"),
    listener("submission", ports.submission, "starttls"),
    listener("lmtp", ports.lmtp, "none"),
    listener("http", ports.http, "none"),
  ];
}

function listener(protocol: string, port: number, tls: string): object {
  return { protocol, address: [`127.0.0.1:${port}`], tls };
}
