import type { CertificateStatus } from "../../admin/services.ts";
import { valueOf, withAdmin } from "../admin.ts";
import { certificateWords } from "../certificate-words.ts";
import { answer, type Context } from "../context.ts";
import { formatDate } from "../format-date.ts";
import { renderFacts } from "../table.ts";

/** `mailkeep certificate list` */
export async function list(context: Context): Promise<number> {
  const { certificates } = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("certificate.list", {})),
  );
  answer(context, { certificates: certificates.map(inIsoTimes) }, () =>
    certificates.length === 0
      ? context.say("certificate.none")
      : certificates.map((certificate) => describe(certificate, context)).join("\n\n"),
  );
  return 0;
}

/** `mailkeep certificate self-signed` */
export async function selfSigned(context: Context): Promise<number> {
  const made = await withAdmin(context, async (admin) =>
    valueOf(context, await admin.call("certificate.self-signed", {})),
  );
  answer(context, inIsoTimes(made), () =>
    context.say("certificate.made", { file: made.certificate, date: formatDate(made.facts?.notAfter ?? 0) }),
  );
  return 0;
}

// For programs every time is ISO 8601, as in the other commands.
function inIsoTimes(certificate: CertificateStatus): object {
  const { facts } = certificate;
  if (facts === undefined) return certificate;
  const notBefore = new Date(facts.notBefore).toISOString();
  const notAfter = new Date(facts.notAfter).toISOString();
  return { ...certificate, facts: { ...facts, notBefore, notAfter } };
}

function describe(certificate: CertificateStatus, { say, language }: Context): string {
  const { facts, problem, daysLeft = 0 } = certificate;
  const lines: (readonly [string, string])[] = [
    [say("certificate.file"), certificate.certificate],
    [say("certificate.key"), certificate.key],
  ];
  if (facts !== undefined) {
    const date = formatDate(facts.notAfter);
    lines.push(
      [say("certificate.names"), facts.names.join(", ")],
      [say("certificate.issuer"), facts.selfSigned ? say("certificate.self") : facts.issuer],
      [say("certificate.until"), say("certificate.days", { date, days: daysLeft })],
      [say("certificate.fingerprint"), facts.fingerprint],
    );
  }
  if (problem !== undefined) lines.push([say("certificate.problem"), certificateWords(problem, language)]);
  return renderFacts(lines);
}
