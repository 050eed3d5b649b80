import type { ClientCertificate } from "../model/peer.ts";

/** Whom a client's certificate names, by the configured field; undefined: nobody. */
export function certificateName(certificate: ClientCertificate, field: "email" | "common_name"): string | undefined {
  const name = field === "email" ? certificate.emails[0] : certificate.commonName;
  return name === "" ? undefined : name;
}
