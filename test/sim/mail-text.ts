import { Random } from "../e2e/harness/random.ts";
import { seedOf } from "./runtime.ts";

/*
 * The content of the messages of a simulation, as text of one character an octet (latin1). It follows from the message's
 * name alone, so that an oracle can tell each octet of it.
 */

/** The field in which a message carries its name. */
const NAME_FIELD = "X-Sim: ";
const WORDS = ["acknowledged", "mail", "is", "never", "lost", ".", "..", ".dot", "a line", "\u00e4\u00f6\u00fc", ""];

/** Makes the content of a message of about so many octets; every line ends with CRLF. */
export function contentOf(seed: number, name: string, octets: number): string {
  const random = new Random(seedOf(seed, name));
  const header = `From: <sender@example.org>\r\nSubject: ${name}\r\n${NAME_FIELD}${name}\r\n\r\n`;
  const lines: string[] = [];
  for (let size = header.length; size < octets;) {
    const words = Array.from({ length: random.between(1, 6) }, () => random.pick(WORDS));
    const line =
      words.join(random.fraction() < 0.2 ? "" : " ") + "x".repeat(octets > 4000 ? random.between(0, 400) : 0);
    lines.push(line);
    size += line.length + 2;
  }
  return `${header}${lines.map((line) => `${line}\r\n`).join("")}`;
}

/** As it is sent in DATA: dots stuffed, with the dot that ends it. */
export function stuffed(content: string): string {
  return `${content.replaceAll("\r\n.", "\r\n..")}.\r\n`;
}

/** What stands in the answer to RETR, without stuffing; `text`: all behind the status line, final dot included. */
export function unstuffed(text: string): string {
  const body = text.slice(0, -3);
  return (body.startsWith(".") ? body.slice(1) : body).replaceAll("\r\n.", "\r\n");
}

/** The name in a message's header; undefined: it has none. */
export function nameIn(message: string): string | undefined {
  const end = message.indexOf("\r\n\r\n");
  const at = message.indexOf(`\r\n${NAME_FIELD}`);
  if (at < 0 || at > end) return undefined;
  return message.slice(at + 2 + NAME_FIELD.length, message.indexOf("\r\n", at + 2));
}

const TRACE = /^Return-Path: <[^>]*>\r\nReceived: from [^\r\n]*\r\n(?:\t[^\r\n]*\r\n)+$/;

/** What is wrong with a message as it was fetched; undefined: it is what was sent, behind one trace. */
export function damageOf(message: string, content: string): string | undefined {
  if (!message.endsWith(content))
    return `${describe(message)} does not end with the ${content.length} octets that were sent`;
  const trace = message.slice(0, message.length - content.length);
  return TRACE.test(trace) ? undefined : `what is in front of it is no trace: ${JSON.stringify(trace.slice(0, 200))}`;
}

function describe(message: string): string {
  return `a message of ${message.length} octets`;
}
