/** A line of the client without its end; "" where it is overlong. */
export type ClientLine = {
  readonly text: string;
  readonly overlong: boolean;
  /** Octets that came with it, behind it. */
  readonly behind: number;
  /** Where it ends in all that the client sends. */
  readonly end: number;
};

const LINE_OCTETS = 32 * 1024;

/** The lines that a server has to see in what a client has sent, act by act; an unfinished one is none. */
export function clientLines(acts: readonly string[]): ClientLine[] {
  const octets = acts.join("");
  const ends: number[] = [];
  for (const act of acts) ends.push((ends.at(-1) ?? 0) + act.length);
  const lines: ClientLine[] = [];
  let at = 0;
  for (let end = octets.indexOf("\n"); end >= 0; end = octets.indexOf("\n", at)) {
    const behind = (ends.find((each) => each > end) ?? 0) - end - 1;
    const overlong = end + 1 - at > LINE_OCTETS;
    // A bare LF ends a line too; a CR is no part of it.
    lines.push({ text: overlong ? "" : octets.slice(at, end).replace(/\r$/, ""), overlong, behind, end: end + 1 });
    at = end + 1;
  }
  if (octets.length - at >= LINE_OCTETS) lines.push({ text: "", overlong: true, behind: 0, end: octets.length });
  return lines;
}
