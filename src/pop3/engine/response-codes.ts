/** Every response code that a reply may begin with, and what it says to a client (RFC 2449 §8). */
export const responseCodes = {
  AUTH: { summary: "The credentials are wrong. Of nothing else, and of every such failure.", rfc: "RFC 3206 §5" },
  "IN-USE": {
    summary: "The credentials are right, and another session has the maildrop.",
    rfc: "RFC 2449 §8.1.2",
  },
  "LOGIN-DELAY": {
    summary: "The credentials are right, and the last login was too short a time ago.",
    rfc: "RFC 2449 §8.1.1",
  },
  "SYS/TEMP": {
    summary: "Something gives no answer now; the same may work later. Also of a login that was not judged.",
    rfc: "RFC 3206 §4",
  },
  "SYS/PERM": { summary: "Something is damaged or gone; an administrator has to look at it.", rfc: "RFC 3206 §4" },
  UTF8: { summary: "The message cannot be had without UTF8.", rfc: "RFC 6856 §5" },
} as const;

export type ResponseCode = keyof typeof responseCodes;
