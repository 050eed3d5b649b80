import { Secret } from "../../lib/secret.ts";
import type { Exchange, Mechanism, Step } from "./mechanism.ts";
import { decodePart } from "./part.ts";

/** SASL PLAIN (RFC 4616): one message, `[authzid] NUL authcid NUL passwd`. */
export const plain: Mechanism = {
  name: "PLAIN",
  serverFirst: false,
  clearSecret: true,
  usable: () => true,
  begin: (): Exchange => ({ step: judge }),
};

const MALFORMED: Step = { kind: "failed", reason: "malformed" };
const REFUSED: Step = { kind: "failed", reason: "refused" };

function judge(response: Uint8Array): Step {
  const first = response.indexOf(0);
  const second = first < 0 ? -1 : response.indexOf(0, first + 1);
  if (second < 0 || response.indexOf(0, second + 1) >= 0) return MALFORMED;
  if (second === first + 1) return MALFORMED;
  const acting = decodePart(response.subarray(0, first));
  const user = decodePart(response.subarray(first + 1, second));
  const password = decodePart(response.subarray(second + 1));
  if (acting === undefined || user === undefined || password === undefined) return REFUSED;
  // Nobody acts for another here; an empty password is nobody's at every door.
  if ((acting !== "" && acting !== user) || password === "") return REFUSED;
  return {
    kind: "credentials",
    credentials: { kind: "password", mechanism: "PLAIN", user, password: new Secret(password) },
  };
}
