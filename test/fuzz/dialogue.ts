import { parseTranscript } from "../../src/pop3/testing/transcript.ts";
import { writeOctets } from "./octet-text.ts";

/**
 * What a client of POP3 does: `givens` are lines of a transcript that say in which world; each act is what comes at once,
 * latin1.
 */
export type Dialogue = { readonly givens: readonly string[]; readonly acts: readonly string[] };

/** Reads the client's side of a transcript. */
export function readDialogue(text: string): Dialogue {
  const givens = text.split("\n").filter((line) => /^(?:given|message) /.test(line));
  const acts = parseTranscript(text).acts.flatMap((act) => (act.kind === "client" ? [act.octets] : []));
  return { givens, acts };
}

/** Writes the client's side of a transcript. */
export function writeDialogue({ givens, acts }: Dialogue): string {
  return [...givens, ...acts.map(writeAct), ""].join("\n");
}

/** One act as a line of a transcript. */
export function writeAct(octets: string): string {
  return octets.endsWith("\r\n") ? `C: ${writeOctets(octets.slice(0, -2))}` : `C> ${writeOctets(octets)}`;
}

/** A message of the maildrop as a line of a transcript. */
export function writeMessage(octets: string): string {
  return `message "${writeOctets(octets, '"{')}"`;
}

/** Dialogues with less in them. */
export function* smallerDialogues(dialogue: Dialogue): Iterable<Dialogue> {
  const { givens, acts } = dialogue;
  for (let size = acts.length; size >= 1; size = Math.floor(size / 2))
    for (let at = 0; at < acts.length; at += size) yield { givens, acts: acts.toSpliced(at, size) };
  for (let at = 0; at < givens.length; at += 1) yield { givens: givens.toSpliced(at, 1), acts };
  for (const [at, act] of acts.entries())
    for (let size = act.length; size >= 1; size = Math.floor(size / 2))
      for (let from = 0; from < act.length; from += size)
        yield { givens, acts: acts.with(at, act.slice(0, from) + act.slice(from + size)) };
}
