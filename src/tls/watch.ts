import { stat } from "node:fs/promises";
import type { Result } from "../lib/result.ts";
import type { CertificateFiles, CertificateProblem, LoadedCertificate } from "./certificates.ts";
import type { CertificateMaterial } from "./context.ts";

export type WatchPorts = {
  readonly load: () => Promise<Result<LoadedCertificate, CertificateProblem>>;
  readonly loaded: (certificate: LoadedCertificate) => void;
  /** Called once for each change that gave no usable pair. */
  readonly failed: (problem: CertificateProblem) => void;
};

const POLL_MS = 5000;
const CHANGES = ["certificatePem", "keyPem", "clientAuthority"] as const;
// Whoever writes the pair may be between its two files.
const MOST_TRIES = 3;

/**
 * Notices a new pair by what the files' names lead to (a link of certbot's is replaced, not written) and loads it. What
 * changed before the first look is noticed by it too, since it compares with what is in use.
 */
export class CertificateWatch {
  readonly #files: CertificateFiles;
  readonly #ports: WatchPorts;
  readonly #timer: NodeJS.Timeout;
  #inUse: CertificateMaterial;
  #seen: string | undefined;
  #triesLeft = 0;
  #polling = false;

  constructor(files: CertificateFiles, inUse: CertificateMaterial, ports: WatchPorts) {
    this.#files = files;
    this.#inUse = inUse;
    this.#ports = ports;
    this.#timer = setInterval(() => void this.poll(), POLL_MS).unref();
  }

  /** Looks once; the timer does so every five seconds. */
  async poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      const state = await stateOf(this.#files);
      if (state !== this.#seen) this.#triesLeft = MOST_TRIES;
      this.#seen = state;
      if (this.#triesLeft > 0) await this.#try();
    } finally {
      this.#polling = false;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #try(): Promise<void> {
    this.#triesLeft -= 1;
    const result = await this.#ports.load();
    if (!result.ok) {
      if (this.#triesLeft === 0) this.#ports.failed(result.error);
      return;
    }
    this.#triesLeft = 0;
    const { material } = result.value;
    const before = this.#inUse;
    this.#inUse = material;
    if (CHANGES.some((what) => material[what] !== before[what])) this.#ports.loaded(result.value);
  }
}

async function stateOf(files: CertificateFiles): Promise<string> {
  const { certificate, key, clientAuthority } = files;
  const watched = clientAuthority === undefined ? [certificate, key] : [certificate, key, clientAuthority];
  const states = await Promise.all(watched.map(fileState));
  return states.join(" ");
}

async function fileState(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(file);
    return `${dev}:${ino}:${size}:${mtimeMs}`;
  } catch {
    // Gone for a moment, or for good: the load says what is wrong.
    return "none";
  }
}
