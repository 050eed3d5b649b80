const CRLF_DOT = Buffer.from("\r\n.");
const CRLF = Buffer.from("\r\n");
const DOT = 0x2e;

/** Takes the dot away that byte-stuffing put before each line that begins with one (RFC 1939 §3, RFC 5321 §4.5.2). */
export function unstuff(wire: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = wire[0] === DOT ? 1 : 0;
  for (let at = wire.indexOf(CRLF_DOT, from); at >= 0; at = wire.indexOf(CRLF_DOT, from)) {
    pieces.push(wire.subarray(from, at + CRLF.length));
    from = at + CRLF_DOT.length;
  }
  pieces.push(wire.subarray(from));
  return Buffer.concat(pieces);
}

/** Content as it goes behind DATA: stuffed, with a last line end and the final dot. */
export function stuff(content: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  if (content[0] === DOT) pieces.push(Buffer.from("."));
  for (let at = content.indexOf(CRLF_DOT); at >= 0; at = content.indexOf(CRLF_DOT, from)) {
    pieces.push(content.subarray(from, at + CRLF_DOT.length), Buffer.from("."));
    from = at + CRLF_DOT.length;
  }
  pieces.push(content.subarray(from));
  if (content.length > 0 && !content.subarray(-2).equals(CRLF)) pieces.push(CRLF);
  pieces.push(Buffer.from(".\r\n"));
  return Buffer.concat(pieces);
}
