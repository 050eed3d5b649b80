import { randomFillSync } from "node:crypto";

const NAME_OCTETS = 6;
const drawn = Buffer.alloc(NAME_OCTETS * 512);
let used = drawn.length;

/** A new session's name in log and history: 48 random bits in hexadecimal. */
export function newSessionName(): string {
  // Drawn by the hundred: one by one they cost more than the rest of opening a session.
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += NAME_OCTETS;
  return drawn.toString("hex", used - NAME_OCTETS, used);
}
