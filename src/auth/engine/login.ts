import { Secret } from "../../lib/secret.ts";
import type { Exchange, Mechanism, Step } from "./mechanism.ts";
import { decodePart } from "./part.ts";

/** SASL LOGIN (draft-murchison-sasl-login), obsolete and still what some clients know alone. */
export const login: Mechanism = {
  name: "LOGIN",
  serverFirst: true,
  // Python's smtplib and others send the user name with the command.
  toleratesInitial: true,
  clearSecret: true,
  usable: () => true,
  begin: (): Exchange => new LoginExchange(),
};

// The draft names other texts and allows these, which a widely deployed client insists on (§2.2).
const ASK_USER: Step = { kind: "challenge", octets: Buffer.from("Username:") };
const ASK_PASSWORD: Step = { kind: "challenge", octets: Buffer.from("Password:") };
const MALFORMED: Step = { kind: "failed", reason: "malformed" };
const REFUSED: Step = { kind: "failed", reason: "refused" };

class LoginExchange implements Exchange {
  #asked = false;
  #user: Uint8Array | undefined;

  step(response: Uint8Array): Step {
    if (this.#user === undefined) return this.#takeUser(response);
    const user = decodePart(this.#user);
    const password = decodePart(response);
    if (response.includes(0)) return MALFORMED;
    if (user === undefined || password === undefined || password === "") return REFUSED;
    return {
      kind: "credentials",
      credentials: { kind: "password", mechanism: "LOGIN", user, password: new Secret(password) },
    };
  }

  #takeUser(response: Uint8Array): Step {
    if (response.length === 0) {
      if (this.#asked) return MALFORMED;
      this.#asked = true;
      return ASK_USER;
    }
    if (response.includes(0)) return MALFORMED;
    this.#user = response;
    return ASK_PASSWORD;
  }
}
