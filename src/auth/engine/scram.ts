import { isUtf8 } from "node:buffer";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { BindingType, Channel } from "./channel.ts";
import type { ScramHash } from "./credentials.ts";
import type { Exchange, Mechanism, ScramFacts, Step, Verdict } from "./mechanism.ts";
import { PART_OCTETS } from "./part.ts";

/**
 * SCRAM (RFC 5802, RFC 7677): the client proves that it knows the password and never shows it. "bound": the -PLUS variant,
 * whose proof also names the TLS connection that it is meant for (RFC 9266, RFC 5929 §4).
 */
export function scram(hash: ScramHash, kind: "bound" | "bare"): Mechanism {
  const name = `SCRAM-${hash === "sha256" ? "SHA-256" : "SHA-1"}${kind === "bound" ? "-PLUS" : ""}`;
  return {
    name,
    serverFirst: false,
    clearSecret: false,
    usable: (policy, channel) =>
      policy.scram && (hash === "sha256" || policy.scramSha1) && (kind === "bare" || bindingTypes(channel).length > 0),
    begin: (channel, plusOffered) => new ScramExchange(name, hash, kind === "bound" ? channel : undefined, plusOffered),
  };
}

const BINDING_TYPES: readonly BindingType[] = ["tls-exporter", "tls-server-end-point"];

function bindingTypes(channel: Channel): readonly BindingType[] {
  return BINDING_TYPES.filter((type) => channel.binding(type) !== undefined);
}

const MALFORMED: Step = { kind: "failed", reason: "malformed" };
const REFUSED: Step = { kind: "failed", reason: "refused" };
/** More than any message needs: a name of 255 octets, each escaped, and a long nonce. */
const MESSAGE_OCTETS = 4096;
const PROOF_OCTETS: Readonly<Record<ScramHash, number>> = { sha1: 20, sha256: 32 };

type First = {
  readonly gs2Header: string;
  /** What stands behind the header; it is signed as it came. */
  readonly bare: string;
  readonly nonce: string;
  readonly binding: Uint8Array | undefined;
};

class ScramExchange implements Exchange {
  readonly #mechanism: string;
  readonly #hash: ScramHash;
  /** Of a -PLUS mechanism. */
  readonly #channel: Channel | undefined;
  readonly #plusOffered: boolean;
  #first: First | undefined;
  #user = "";
  #serverFirst = "";
  #nonce = "";
  #over = false;

  constructor(mechanism: string, hash: ScramHash, channel: Channel | undefined, plusOffered: boolean) {
    this.#mechanism = mechanism;
    this.#hash = hash;
    this.#channel = channel;
    this.#plusOffered = plusOffered;
  }

  step(response: Uint8Array): Step {
    const text = textOf(response);
    if (text === undefined || this.#over) return MALFORMED;
    if (this.#first === undefined) return this.#takeFirst(text);
    this.#over = true;
    return this.#serverFirst === "" ? MALFORMED : this.#takeFinal(text, this.#first);
  }

  answered(facts: ScramFacts): Step {
    const first = this.#first;
    if (first === undefined || this.#serverFirst !== "") return MALFORMED;
    this.#nonce = first.nonce + facts.nonce;
    this.#serverFirst = `r=${this.#nonce},s=${encodeBase64(facts.salt)},i=${facts.iterations}`;
    return { kind: "challenge", octets: Buffer.from(this.#serverFirst, "utf8") };
  }

  /** On failure nothing is said: the server-final-message is optional then, and the refusal follows (RFC 5802 §5.1). */
  concluded(verdict: Verdict): Uint8Array | undefined {
    if (!verdict.ok || verdict.serverSignature === undefined) return undefined;
    return Buffer.from(`v=${encodeBase64(verdict.serverSignature)}`, "latin1");
  }

  #takeFirst(text: string): Step {
    const header = GS2_HEADER.exec(text);
    if (!header) return MALFORMED;
    const [gs2Header, flag = "", type, authzid] = header;
    const binding = this.#bindingFor(flag, type);
    if (binding === "refused") return REFUSED;

    const bare = text.slice(gs2Header.length);
    const [name = "", nonce = "", ...extensions] = bare.split(",");
    // A mandatory extension that is not understood, and none is, must fail (RFC 5802 §5.1).
    if (name.startsWith("m=")) return REFUSED;
    if (!name.startsWith("n=") || !NONCE.test(nonce)) return MALFORMED;
    const odd = judgeExtensions(extensions);
    if (odd) return odd;
    const user = readSaslName(name.slice(2));
    const acting = authzid === undefined ? user : readSaslName(authzid);
    if (user === undefined || acting === undefined) return MALFORMED;
    // Nobody acts for another here; a name that is too long is nobody's.
    if (acting !== user || Buffer.byteLength(user) > PART_OCTETS) return REFUSED;
    this.#first = { gs2Header, bare, nonce: nonce.slice(2), binding };
    this.#user = user;
    return { kind: "question", question: { kind: "scram", user, hash: this.#hash } };
  }

  /** What the proof has to be bound to: nothing, or the data of the type that the client chose (RFC 5802 §6). */
  #bindingFor(flag: string, type: string | undefined): Uint8Array | undefined | "refused" {
    const channel = this.#channel;
    if (channel === undefined) {
      // "y": the client would bind, and believes that we cannot. If we said that we can, somebody took it out on the way.
      return flag === "n" || (flag === "y" && !this.#plusOffered) ? undefined : "refused";
    }
    const known = BINDING_TYPES.find((each) => each === type);
    return (known && channel.binding(known)) ?? "refused";
  }

  #takeFinal(text: string, first: First): Step {
    const end = text.lastIndexOf(",p=");
    const withoutProof = text.slice(0, end);
    const [binding = "", nonce = "", ...extensions] = withoutProof.split(",");
    if (end < 0 || !binding.startsWith("c=") || !nonce.startsWith("r=")) return MALFORMED;
    const odd = judgeExtensions(extensions);
    if (odd) return odd;
    const proof = decodeBase64(text.slice(end + 3));
    if (proof?.length !== PROOF_OCTETS[this.#hash]) return MALFORMED;
    // Judged before the proof, so that nobody can try a password through a connection that is not ours.
    const input = Buffer.concat([Buffer.from(first.gs2Header, "utf8"), first.binding ?? new Uint8Array(0)]);
    if (binding.slice(2) !== encodeBase64(input) || nonce.slice(2) !== this.#nonce) return REFUSED;
    const message = Buffer.from(`${first.bare},${this.#serverFirst},${withoutProof}`, "utf8");
    const who = { mechanism: this.#mechanism, user: this.#user, hash: this.#hash };
    return { kind: "credentials", credentials: { kind: "scram", ...who, message, proof } };
  }
}

// gs2-cbind-flag "," [ "a=" saslname ] "," (RFC 5802 §7)
const GS2_HEADER = /^(n|y|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,/;
const NONCE = /^r=[\x21-\x2b\x2d-\x7e]{1,1024}$/;
const EXTENSION = /^([A-Za-z])=[^]+$/;
const KNOWN_ATTRIBUTES = "acenimprsv";

/** What is unknown is ignored, what has its own place is an error in another, and `m` is always one (RFC 5802 §5.1). */
function judgeExtensions(extensions: readonly string[]): Step | undefined {
  for (const extension of extensions) {
    const name = EXTENSION.exec(extension)?.[1];
    if (name === "m") return REFUSED;
    if (name === undefined || KNOWN_ATTRIBUTES.includes(name)) return MALFORMED;
  }
  return undefined;
}

/** `=2C` is a comma and `=3D` an equals sign; any other `=` makes it none (RFC 5802 §5.1). */
function readSaslName(text: string): string | undefined {
  if (text === "" || /=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

function textOf(octets: Uint8Array): string | undefined {
  if (octets.length > MESSAGE_OCTETS || octets.includes(0) || !isUtf8(octets)) return undefined;
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("utf8");
}
