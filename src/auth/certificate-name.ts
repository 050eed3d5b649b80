import type { ClientCertificate } from "../model/peer.ts";

/**
 * Whom a client's certificate names, by the configured field; undefined: nobody. Of several addresses it is the one that the
 * client wants to act as, else the first.
 */
export function certificateName(
  certificate: ClientCertificate,
  field: "email" | "common_name",
  user = "",
): string | undefined {
  const { emails, commonName } = certificate;
  const names = field === "email" ? emails : [commonName];
  const wanted = names.find((name) => name.toLowerCase() === user.toLowerCase());
  return (wanted ?? names[0]) || undefined;
}
