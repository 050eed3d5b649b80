import { err, ok, type Result } from "../../lib/result.ts";

/** ESMTP parameters by their keyword in upper case; "" where there is no value. */
export type Parameters = ReadonlyMap<string, string>;

const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9-]*$/;
const VALUE = /^[\x21-\x7e]+$/;

/** Parses what follows the path of MAIL and RCPT (RFC 5321 §4.1.2, Mail-parameters). */
export function parseParameters(text: string): Result<Parameters, "bad-syntax"> {
  const found = new Map<string, string>();
  if (text === "") return ok(found);
  for (const word of text.split(/ +/)) {
    const equals = word.indexOf("=");
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase();
    const value = equals < 0 ? "" : word.slice(equals + 1);
    if (!KEYWORD.test(keyword) || found.has(keyword) || (equals >= 0 && !VALUE.test(value))) return err("bad-syntax");
    found.set(keyword, value);
  }
  return ok(found);
}

/** What MAIL's parameters say of the message. */
export type MailParameters = {
  /** What SIZE announced; 0: nothing. */
  octets: number;
  international: boolean;
};

export type ParameterProblem = "bad-syntax" | "unknown" | "too-large";

type Reader = (value: string, into: MailParameters, limits: ParameterLimits) => ParameterProblem | undefined;

/** What the session allows. */
export type ParameterLimits = {
  readonly messageOctets: number;
  /** Whether AUTH was announced, which makes AUTH= legal (RFC 4954 §5). */
  readonly login: boolean;
};

// The parameters of MAIL, one row each; those of RCPT (DSN's) come with the outbox.
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["SIZE", readSize],
  ["BODY", readBody],
  ["SMTPUTF8", readInternational],
  ["AUTH", readLogin],
]);

/** Reads the parameters of MAIL; each that was not announced is a problem of its own (555, RFC 5321 §4.1.1.11). */
export function readMailParameters(
  parameters: Parameters,
  limits: ParameterLimits,
): Result<MailParameters, ParameterProblem> {
  const into: MailParameters = { octets: 0, international: false };
  for (const [keyword, value] of parameters) {
    const problem = readers.has(keyword) ? readers.get(keyword)?.(value, into, limits) : "unknown";
    if (problem) return err(problem);
  }
  return ok(into);
}

/** RFC 1870 §6.1: refused at once, before a single octet of it has been sent. */
function readSize(
  value: string,
  into: MailParameters,
  { messageOctets }: ParameterLimits,
): ParameterProblem | undefined {
  if (!/^\d{1,20}$/.test(value)) return "bad-syntax";
  into.octets = Number(value);
  return into.octets > messageOctets ? "too-large" : undefined;
}

/** RFC 6152 §2. BINARYMIME is not announced, and its value is as unknown as any other. */
function readBody(value: string): ParameterProblem | undefined {
  return /^(?:7BIT|8BITMIME)$/i.test(value) ? undefined : "unknown";
}

function readInternational(value: string, into: MailParameters): ParameterProblem | undefined {
  if (value !== "") return "bad-syntax";
  into.international = true;
  return undefined;
}

/** RFC 4954 §5: who submitted the message is what this server knows by itself, so the value is not used. */
function readLogin(value: string, _: MailParameters, { login }: ParameterLimits): ParameterProblem | undefined {
  if (!login) return "unknown";
  return value === "" ? "bad-syntax" : undefined;
}
