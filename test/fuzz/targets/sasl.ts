import { encodeBase64, decodeBase64 } from "../../../src/auth/engine/base64.ts";
import type { Channel, MechanismPolicy } from "../../../src/auth/engine/channel.ts";
import type { Credentials } from "../../../src/auth/engine/credentials.ts";
import type { Exchange, Step } from "../../../src/auth/engine/mechanism.ts";
import { beginExchange, findMechanism, isUsable, mechanisms } from "../../../src/auth/engine/mechanisms.ts";
import { scramClient, scramFacts } from "../../../src/pop3/testing/credentials.ts";
import { smallerDialogues, writeDialogue, readDialogue, type Dialogue } from "../dialogue.ts";
import { mutateDialogue } from "../mutate-dialogue.ts";
import { fromBase64, referenceOf, type Claim, type Expected } from "../rules/sasl.ts";
import { hold, show, type Target } from "../target.ts";
import { base64 } from "../words.ts";

/*
 * The mechanisms themselves: the first act is what stands behind AUTH, each other one a line of the client. `given binding`
 * makes the -PLUS variants usable.
 */
export const sasl: Target<Dialogue> = {
  name: "sasl",
  read: readDialogue,
  write: writeDialogue,
  seeds,
  mutate: mutateDialogue,
  smaller: smallerDialogues,
  attempt,
  story: writeDialogue,
};

const POLICY: MechanismPolicy = {
  allowCleartext: false,
  scram: true,
  scramSha1: true,
  oauth: true,
  clientCertificates: true,
  bearerHint: { scope: "mail" },
};
const BOUND = new Map(["tls-exporter", "tls-server-end-point"].map((type) => [type, `the data of ${type}`] as const));
// More than any exchange has.
const MOST_STEPS = 8;

function attempt({ givens, acts }: Dialogue): readonly string[] {
  const [first = "", ...lines] = acts.map((act) => act.replace(/\r?\n$/, ""));
  for (const line of [first, ...lines]) for (const word of line.split(" ")) sameBase64(word);
  const [name = "", initial] = first.replace(/^AUTH /, "").split(" ");
  const bindings = givens.includes("given binding") ? BOUND : new Map<string, string>();
  const channel: Channel = {
    secure: true,
    binding: (type) => (bindings.has(type) ? Buffer.from(bindings.get(type) ?? "", "latin1") : undefined),
    clientCertificate: true,
  };
  const mechanism = findMechanism(name);
  const reference = referenceOf(upper(name), bindings, bindings.size > 0);
  hold((mechanism !== undefined) === (reference !== undefined), "SASL-01", () => `the mechanism ${show(name)}`);
  if (mechanism === undefined || reference === undefined || !isUsable(mechanism, POLICY, channel))
    return ["no mechanism"];
  const response = initial === undefined || initial === "=" ? initial : fromBase64(initial);
  if (initial !== undefined && response === undefined) return ["no base64"];
  const octets = response === "=" ? "" : response;
  const begun = beginExchange(mechanism, octets === undefined ? undefined : octetsOf(octets), POLICY, channel);
  return converse(mechanism.name, begun.exchange, octets ?? "", begun.step, reference, reference.begin(octets), lines);
}

function converse(
  name: string,
  exchange: Exchange,
  first: string,
  firstStep: Step,
  reference: NonNullable<ReturnType<typeof referenceOf>>,
  firstExpected: Expected,
  lines: readonly string[],
): string[] {
  const seen: string[] = [];
  let said = first;
  let step = firstStep;
  let expected = firstExpected;
  for (const line of [...lines.slice(0, MOST_STEPS), ""]) {
    seen.push(`${name} ${seen.length} ${step.kind} ${step.kind === "failed" ? step.reason : ""} ${shapeOf(said)}`);
    if (step.kind === "question") {
      hold(expected.kind === "facts", "SCRAM-01", () => `${name} asks, and ${expected.kind} was expected`);
      step = exchange.answered?.(scramFacts) ?? { kind: "failed", reason: "malformed" };
      hold(step.kind === "challenge", "SCRAM-01", () => `${name} makes ${step.kind} of the facts`);
      const problem = reference.told?.(Buffer.from(step.octets).toString("latin1"));
      hold(problem === undefined, "SCRAM-01", () => `${name}: ${problem}`);
    } else compare(name, step, expected);
    if (step.kind !== "challenge") break;
    const response = fromBase64(line);
    if (response === undefined) break;
    said = response;
    step = exchange.step(octetsOf(response));
    expected = reference.next(response);
  }
  return seen;
}

/** What a message is made of: what divides it, and words. */
function shapeOf(message: string): string {
  return message
    .slice(0, 300)
    .replaceAll(/[A-Za-z0-9+/ ]+/g, "a")
    .replaceAll(/[^a,=\0\x01]/g, "?") // oxlint-disable-line eslint/no-control-regex
    .slice(0, 14);
}

function compare(name: string, step: Step, expected: Expected): void {
  if (step.kind === "credentials") {
    hold("user" in expected, "SASL-05", () => `${name} reads credentials, and ${expected.kind} was expected`);
    const [found, wanted] = [claimOf(step.credentials), flat(expected)];
    return hold(found === wanted, "SASL-05", () => `${name} reads ${found} and not ${wanted}`);
  }
  hold(step.kind === expected.kind, "SASL-05", () => `${name} says ${step.kind}, and ${expected.kind} was expected`);
  if (step.kind !== "challenge" || expected.kind !== "challenge" || expected.octets === undefined) return;
  const octets = Buffer.from(step.octets).toString("latin1");
  hold(octets === expected.octets, "SASL-02", () => `${name} says ${show(octets)}`);
}

function claimOf(credentials: Credentials): string {
  if (credentials.kind === "password") return flat({ ...credentials, password: credentials.password.reveal() });
  if (credentials.kind === "token") return flat({ ...credentials, token: credentials.token.reveal() });
  if (credentials.kind === "certificate") return flat(credentials);
  const { message, proof } = credentials;
  const facts = { salt: Buffer.from(scramFacts.salt), iterations: scramFacts.iterations };
  return flat({ ...credentials, ...facts, message: Buffer.from(message), proof: Buffer.from(proof) });
}

function flat(claim: Claim): string {
  const { kind, user } = claim;
  if (kind === "password") return JSON.stringify([kind, user, claim.password]);
  if (kind === "token") return JSON.stringify([kind, user, claim.token]);
  if (kind === "certificate") return JSON.stringify([kind, user]);
  const { hash, message, proof, salt, iterations } = claim;
  return JSON.stringify([
    kind,
    user,
    hash,
    iterations,
    ...[message, proof, salt].map((octets) => octets.toString("hex")),
  ]);
}

/** RFC 4648: the decoder and a slow one agree, and what was decoded is encoded the same. */
function sameBase64(word: string): void {
  const decoded = decodeBase64(word);
  const wanted = fromBase64(word);
  const found = decoded && Buffer.from(decoded).toString("latin1");
  hold(found === wanted, "SASL-02", () => `base64 of ${show(word)} is ${show(found ?? "none")}`);
  if (decoded !== undefined) hold(encodeBase64(decoded) === word, "SASL-02", () => `base64 of ${show(word)} changes`);
}

function octetsOf(latin1: string): Uint8Array {
  // In a larger buffer, as they come from a socket: whoever looks beyond them is seen.
  const whole = Buffer.from(`tim\0${latin1}\0tim`, "latin1");
  return whole.subarray(4, 4 + latin1.length);
}

function upper(text: string): string {
  return text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
}

function seeds(): Dialogue[] {
  const { first, final } = scramClient("user", "pencil", "n,,", Buffer.alloc(0));
  const bound = scramClient("user", "pencil", "p=tls-exporter,,", Buffer.from("the data of tls-exporter"));
  const bearer = "host=x\x01port=995\x01auth=Bearer dGltcyB0b2tlbg==\x01\x01";
  const said: readonly (readonly string[])[] = [
    [`PLAIN ${base64("\0tim\0tanstaaf")}`],
    ["PLAIN", base64("tim\0tim\0tanstaaf")],
    ["LOGIN", base64("tim"), base64("tanstaaf")],
    [`LOGIN ${base64("tim")}`, base64("tanstaaf")],
    ["EXTERNAL ="],
    ["EXTERNAL", base64("tim")],
    [`SCRAM-SHA-256 ${first}`, final, ""],
    ["SCRAM-SHA-256", first, final, ""],
    ["SCRAM-SHA-1", first, final, ""],
    // "I could bind, and you cannot": right only where no -PLUS is announced (rule SCRAM-01).
    ["SCRAM-SHA-256", base64("y,,n=user,r=client")],
    ["SCRAM-SHA-1", base64("y,a=user,n=user,r=client")],
    ["SCRAM-SHA-256-PLUS", bound.first, bound.final, ""],
    [`OAUTHBEARER ${base64(`n,a=tim,\x01${bearer}`)}`],
    ["OAUTHBEARER", base64("n,,\x01auth=\x01\x01"), "AQ=="],
    [`XOAUTH2 ${base64("user=tim\x01auth=Bearer dGltcyB0b2tlbg==\x01\x01")}`],
    ["XOAUTH2", base64("user=tim\x01auth=Bearer \x01\x01"), ""],
    ...mechanisms.map(({ name }) => [name, "", ""]),
  ];
  const dialogues = said.map((lines) => ({ givens: [], acts: lines.map((line) => `${line}\r\n`) }));
  return [...dialogues, ...dialogues.map(({ acts }) => ({ givens: ["given binding"], acts }))];
}
