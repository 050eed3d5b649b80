import { en } from "./texts/en.ts";

// A line has 512 octets with `+OK `, CRLF and what else stands in it (rule 2449-02).
const FOREIGN_OCTETS = 256;

/** A text that is not ours, fit for a status line: printable ASCII of bounded length that looks like no response code. */
export function printable(text: string): string {
  // `<` would make an APOP timestamp of a greeting (rule 1939-01), `[` a response code of any text (rule 2449-06).
  return text
    .replaceAll(/[^\x20-\x7e]|[<>]/g, "")
    .replace(/^[\s[]+/, "")
    .slice(0, FOREIGN_OCTETS);
}

/** The greeting (rule 1939-01); it comes before any wish for a language. */
export function greeting(hostname: string): string {
  return `+OK ${printable(`${hostname} ${en.ready}`)}\r\n`;
}
