import type { Clock } from "../lib/clock.ts";
import type { CertificateFacts } from "./certificate.ts";
import { daysLeft } from "./certificate.ts";
import type { CertificateFiles } from "./certificates.ts";
import { loadCertificate } from "./certificates.ts";
import { newTicketKeys } from "./ticket-keys.ts";

/** What `mailkeep certificate list` shows of a certificate; facts are missing where the files cannot be used. */
export type CertificateDescription = CertificateFiles & {
  readonly facts?: CertificateFacts;
  readonly daysLeft?: number;
  readonly problem?: string;
};

/** Looks at the files as the server would at its start. */
export async function describeCertificate(files: CertificateFiles, clock: Clock): Promise<CertificateDescription> {
  const result = await loadCertificate({ ...files, minimumVersion: "1.2", ticketKeys: newTicketKeys() }, clock);
  const named = { certificate: files.certificate, key: files.key };
  if (!result.ok) return { ...named, problem: result.error.message };
  const { facts, warning } = result.value;
  return {
    ...named,
    facts,
    daysLeft: daysLeft(facts, clock.now()),
    ...(warning === undefined ? {} : { problem: warning }),
  };
}
