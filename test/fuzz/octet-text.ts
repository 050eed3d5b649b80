/*
 * Octets (latin1) as text of printable ASCII, in the escapes of transcripts: \r, \n, \\, \x41, and {A*300} for a run.
 */

const RUN = 24;

/** Writes octets down; `also`: characters that mean something where the text will stand. */
export function writeOctets(octets: string, also = ""): string {
  return octets.replaceAll(/([^])\1*/g, (run, each: string) => {
    const plain = /[!-z|}~]/.test(each) && each !== "\\" && !also.includes(each);
    if (plain && run.length > RUN) return `{${each}*${run.length}}`;
    return run.replaceAll(/[^]/g, (octet) => (plain || octet === " " ? octet : escaped(octet)));
  });
}

/** Reads what `writeOctets` wrote. */
export function readOctets(text: string): string {
  return text
    .replaceAll(/\{(.)\*(\d+)\}/g, (_, octet: string, count: string) => octet.repeat(Number(count)))
    .replaceAll(/\\(x[0-9a-f]{2}|.)/g, (_, escape: string) => {
      if (escape.startsWith("x")) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
      return { r: "\r", n: "\n" }[escape] ?? escape;
    });
}

/** Octets as a file: a line of text for each line of octets. */
export function writeLines(octets: string): string {
  return `${writeOctets(octets).replaceAll("\\n", "\\n\n").replace(/\n$/, "")}\n`;
}

/** Reads what `writeLines` wrote; lines that begin with `#` are comments. */
export function readLines(text: string): string {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return readOctets(lines.join(""));
}

function escaped(octet: string): string {
  if (octet === "\\") return "\\\\";
  if (octet === "\r") return "\\r";
  if (octet === "\n") return "\\n";
  return `\\x${octet.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
