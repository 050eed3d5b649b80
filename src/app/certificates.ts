import { join } from "node:path";
import type { CertificateServices } from "../admin/services.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Log } from "../observe/log-port.ts";
import { loadCertificate, type CertificateFiles, type LoadedCertificate } from "../tls/certificates.ts";
import type { CertificateMaterial } from "../tls/context.ts";
import { describeCertificate } from "../tls/describe.ts";
import { ensureSelfSigned, selfSignedFiles, writeSelfSigned } from "../tls/self-signed-files.ts";
import { newTicketKeys, rotateTicketKeys, TICKET_ROTATION_MS } from "../tls/ticket-keys.ts";
import { CertificateWatch } from "../tls/watch.ts";

export type CertificateParts = {
  readonly config: Config;
  readonly ticketKeys: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
};

/** The running server's certificate: made when there is none, loaded, watched, and handed to every thread. */
export class ServedCertificate implements Disposable {
  readonly #parts: CertificateParts;
  #config: Config;
  #loaded: LoadedCertificate;
  #files: CertificateFiles;
  #watch: CertificateWatch;
  #ticketKeys: Uint8Array;
  readonly #rotation: NodeJS.Timeout;
  #use: (material: CertificateMaterial) => void = () => undefined;

  private constructor(parts: CertificateParts, files: CertificateFiles, loaded: LoadedCertificate) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#files = files;
    this.#loaded = loaded;
    this.#ticketKeys = parts.ticketKeys;
    this.#say(loaded);
    this.#watch = this.#watchFiles();
    this.#rotation = setInterval(() => this.#rotate(), TICKET_ROTATION_MS).unref();
  }

  /** Loads what the configuration names; without any, the self-signed one. The error is a sentence. */
  static async open(parts: CertificateParts): Promise<Result<ServedCertificate, string>> {
    const files = await filesOf(parts.config, parts.clock, "ensure");
    const loaded = await loadCertificate(requestOf(files, parts.config, parts.ticketKeys), parts.clock);
    return loaded.ok ? ok(new ServedCertificate(parts, files, loaded.value)) : err(loaded.error.message);
  }

  get material(): CertificateMaterial {
    return this.#loaded.material;
  }

  /** Where clients find the certificate that they have to trust. */
  get file(): string {
    return this.#files.certificate;
  }

  /** From now on `use` is given each new certificate. */
  whenReplaced(use: (material: CertificateMaterial) => void): void {
    this.#use = use;
  }

  /** Loads again, from what this configuration names. The old one stays when the new one is no good. */
  async reload(config: Config): Promise<Result<void, string>> {
    const files = await filesOf(config, this.#parts.clock, "ensure");
    const loaded = await loadCertificate(requestOf(files, config, this.#ticketKeys), this.#parts.clock);
    if (!loaded.ok) {
      this.#parts.log.error("tls.failed", { reason: loaded.error.message });
      return err(loaded.error.message);
    }
    this.#config = config;
    this.#files = files;
    this.#replace(loaded.value);
    this.#watch[Symbol.dispose]();
    this.#watch = this.#watchFiles();
    return ok(undefined);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#rotation);
    this.#watch[Symbol.dispose]();
  }

  #watchFiles(): CertificateWatch {
    const { clock, log } = this.#parts;
    return new CertificateWatch(this.#files, this.#loaded.material, {
      load: () => loadCertificate(requestOf(this.#files, this.#config, this.#ticketKeys), clock),
      loaded: (certificate) => this.#replace(certificate),
      failed: (problem) => log.error("tls.failed", { reason: problem.message }),
    });
  }

  #replace(loaded: LoadedCertificate): void {
    // The ticket keys may have been replaced while it was being loaded.
    this.#loaded = { ...loaded, material: { ...loaded.material, ticketKeys: this.#ticketKeys } };
    this.#say(loaded);
    this.#use(this.#loaded.material);
  }

  /** A key that was stolen opens no session older than a day; nobody has to begin anew for it. */
  #rotate(): void {
    this.#ticketKeys = rotateTicketKeys(this.#ticketKeys);
    const material = { ...this.#loaded.material, ticketKeys: this.#ticketKeys };
    this.#loaded = { ...this.#loaded, material };
    this.#use(material);
  }

  #say({ facts, warning }: LoadedCertificate): void {
    const { log } = this.#parts;
    log.info("tls.loaded", { names: [...facts.names], until: new Date(facts.notAfter).toISOString() });
    if (warning !== undefined) log.warn("tls.failed", { reason: warning });
  }
}

/** What `mailkeep certificate` does. `served` takes a certificate that was made into use at once. */
export function certificateServices(
  config: () => Config,
  clock: Clock,
  served?: () => Promise<Result<void, string>>,
): CertificateServices {
  return {
    list: async () => [await describeCertificate(await filesOf(config(), clock, "name"), clock)],
    selfSigned: async () => {
      const { hostname } = config().server;
      try {
        const files = await writeSelfSigned(folderOf(config()), hostname, clock);
        const usable = await served?.();
        return usable?.ok === false ? usable : ok(await describeCertificate(files, clock));
      } catch (cause) {
        return err(cause instanceof Error ? cause.message : String(cause));
      }
    },
  };
}

/** Whether what the configuration names can be used; undefined: it can, or it names nothing. */
export async function checkCertificate(
  config: Config,
  clock: Clock,
): Promise<{ readonly key: "tls.certificate" | "tls.key"; readonly reason: string } | undefined> {
  const { certificate, key } = config.tls;
  if (certificate === undefined || key === undefined) return undefined;
  const loaded = await loadCertificate(requestOf({ certificate, key }, config, newTicketKeys()), clock);
  if (loaded.ok) return undefined;
  return { key: loaded.error.file === key ? "tls.key" : "tls.certificate", reason: loaded.error.message };
}

function folderOf(config: Config): string {
  return join(config.server.dataDirectory, "tls");
}

async function filesOf(config: Config, clock: Clock, how: "ensure" | "name"): Promise<CertificateFiles> {
  const clientAuthority = config.auth.clientCertificates?.authority;
  return { ...(await pairOf(config, clock, how)), ...(clientAuthority !== undefined && { clientAuthority }) };
}

async function pairOf(config: Config, clock: Clock, how: "ensure" | "name"): Promise<CertificateFiles> {
  const { certificate, key } = config.tls;
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  const folder = folderOf(config);
  return how === "name" ? selfSignedFiles(folder) : ensureSelfSigned(folder, config.server.hostname, clock);
}

function requestOf(files: CertificateFiles, config: Config, ticketKeys: Uint8Array) {
  return { ...files, minimumVersion: config.tls.minimumVersion, ticketKeys };
}
